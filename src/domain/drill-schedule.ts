// When the next drill of a cluster is due. The rule stands in docs/design/drills.md, "Schedule". Pure.
import type { DrillOrder } from './drill.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Times = Pick<DrillOrder, 'everyHours' | 'at'>;

/** @param anchor from where it counts. @returns null: never */
export function nextDrillAt({ everyHours, at }: Times, anchor: Date): Date | null {
  if (everyHours === 0) return null;
  const earliest = anchor.getTime() + everyHours * HOUR_MS;
  if (at === null) return new Date(earliest);
  const before = lastTime(at, new Date(earliest)).getTime();
  return new Date(before === earliest ? before : before + DAY_MS);
}

/** The anchor of one that is begun, or a cluster that is first seen, now. */
export function anchorOf({ at }: Pick<Times, 'at'>, now: Date): Date {
  return at === null ? now : lastTime(at, now);
}

/** The last `HH:MM` (UTC) that is not behind `moment`. */
function lastTime(at: string, moment: Date): Date {
  const [hours = 0, minutes = 0] = at.split(':').map(Number);
  const sameDay = Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth(), moment.getUTCDate(), hours, minutes);
  return new Date(sameDay > moment.getTime() ? sameDay - DAY_MS : sameDay);
}
