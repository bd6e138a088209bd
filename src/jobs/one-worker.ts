// What one worker at a time does for all: it is claimed by a value of the settings, and held by signs of life in it.
import type { Catalog } from '../catalog/index.ts';
import { isHeld, type RunningChore } from '../domain/running-chore.ts';
import type { Clock } from '../foundation/clock.ts';
import { newId } from '../foundation/ids.ts';
import type { Logger } from '../foundation/logger.ts';
import { startBeat } from './start-beat.ts';

/** Also how old the progress may be that people see. */
export const BEAT_MS = 10_000;

interface Claimable { readonly running?: RunningChore | null }

export interface Claiming<S extends Claimable> {
  readonly key: string;
  /** As it stands in the settings. */
  readonly before: S;
  /** What stands there from the claim on. */
  readonly begun: S;
  /** For the log: `the check`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** What each sign of life tells besides. */
  readonly progress?: () => Partial<NonNullable<S['running']>>;
}

export interface Claimed<S> {
  /** Of the caller, and of whoever took this worker for dead. */
  readonly signal: AbortSignal;
  /** Writes something down for whoever comes next, should this worker die. @returns false where another worker took this one for dead */
  note(next: (state: S) => S): Promise<boolean>;
  /** Gives it back. @param next of the value that stands @returns false where another worker took this one for dead: then nothing was written */
  end(next: (state: S) => S): Promise<boolean>;
}

/** @returns null where another worker is at it, or was faster */
export async function claimForOne<S extends Claimable>(
  { catalog: { settings }, clock, log }: { readonly catalog: Pick<Catalog, 'settings'>; readonly clock: Clock; readonly log: Logger },
  { key, before, begun, what, signal, progress }: Claiming<S>,
): Promise<Claimed<S> | null> {
  const now = clock.now();
  if (isHeld(before.running, now)) return null;
  const running: RunningChore = { token: newId(now), since: now.toISOString(), beatAt: now.toISOString() };
  let state: S = { ...begun, running };
  if (!(await settings.replace(key, before, state))) return null;
  let last: Promise<boolean> = Promise.resolve(true);
  /** One after the other: each replaces the value that the one before put. */
  const change = (next: (held: S) => S): Promise<boolean> => {
    last = last.catch(() => false).then(async () => {
      const news = next(state);
      if (!(await settings.replace(key, state, news))) return false;
      state = news;
      return true;
    });
    return last;
  };
  const takenOver = new AbortController();
  const beat = startBeat(async () => {
    const held = await change((one) => ({ ...one, running: { ...running, ...progress?.(), beatAt: clock.now().toISOString() } }));
    if (!held) takenOver.abort(new Error(`another worker took over ${what}`));
  }, { everyMs: BEAT_MS, what, log });
  return {
    signal: AbortSignal.any([signal, takenOver.signal]),
    note: change,
    async end(next) {
      await beat.stop();
      return change((one) => ({ ...next(one), running: null }));
    },
  };
}
