// Who is at what one worker at a time does for all, as it stands in the catalog's settings.

/** Instants are ISO 8601. `beatAt`: the last sign of life. */
export interface RunningChore { readonly token: string; readonly since: string; readonly beatAt: string }

/** Without a sign of life for so long whoever works at a chore is dead. */
const CHORE_DEAD_AFTER_MS = 15 * 60_000;

/** Whether somebody who is alive is at it. */
export function isHeld(running: Pick<RunningChore, 'beatAt'> | null | undefined, now: Date): boolean {
  return running != null && now.getTime() - Date.parse(running.beatAt) < CHORE_DEAD_AFTER_MS;
}
