// What a look at a schedule decides: which snapshot to ask for now, and from where the next look goes on (docs/design/schedules.md,
// "Exactly once" and "Missed times"). Pure, so that a preview and years of a fake clock run the same lines.
import { dueTimes, nextDue } from './due-times.ts';
import { joinItems, type FrequencyType, type PolicyItem } from './retention.ts';
import type { SnapshotSchedule } from './schedule.ts';

export const CATCH_UP_CHOICES = ['once', 'skip'] as const;
/** Times that went by while nobody looked: `once`, one snapshot for all of them; `skip`: none. */
export type CatchUp = (typeof CATCH_UP_CHOICES)[number];

/** How far a schedule was followed. */
export interface ScheduleProgress {
  /** Every due time up to here was decided. */
  readonly handledUntil: Date;
  /** Ids of items whose snapshot failed, or that a change cut off. */
  readonly owed: readonly string[];
  /** In a row. */
  readonly failures: number;
  /** When owed ones are asked for, if nothing is due before. */
  readonly retryAt: Date | null;
}

export interface PlannedRun {
  readonly dueAt: Date;
  /** All that the snapshot stands for. */
  readonly items: readonly PolicyItem[];
  /** Due times before this one that it stands for as well. */
  readonly missed: number;
}

const MINUTE_MS = 60_000;
/** A due time that is older was missed. */
const ON_TIME_MS = 10 * MINUTE_MS;
const CLOCK_WAS_WRONG_MS = 60 * MINUTE_MS;
const RETRY_MS = 10 * MINUTE_MS;
const LONGEST_RETRY_MS = 360 * MINUTE_MS;

type Timing = Pick<SnapshotSchedule, 'items' | 'referenceHour' | 'referenceMinute'>;

export function freshProgress(now: Date): ScheduleProgress {
  return { handledUntil: now, owed: [], failures: 0, retryAt: null };
}

export function planRun(schedule: Timing, given: ScheduleProgress, { now, catchUp }: { readonly now: Date; readonly catchUp: CatchUp }): {
  readonly run: PlannedRun | null; readonly progress: ScheduleProgress;
} {
  const progress = isClockWrong(given, now) ? { ...given, handledUntil: now } : given;
  const { last, items: due, count } = gather(schedule, progress.handledUntil, now, catchUp);
  const handledUntil = last ?? progress.handledUntil;
  const isRetry = progress.retryAt !== null && progress.retryAt <= now;
  if (due.length === 0 && !isRetry) return { run: null, progress: { ...progress, handledUntil } };
  const items = joinItems(owedItems(schedule, progress), due);
  const settled = { ...progress, handledUntil, owed: [], retryAt: null };
  if (items.length === 0) return { run: null, progress: settled };
  const dueAt = due.length > 0 && last !== null ? last : (progress.retryAt ?? now);
  return { run: { dueAt, items, missed: Math.max(0, count - 1) }, progress: settled };
}

/** The due time has its snapshot, from when the clock was wrong: nothing is asked for, and what is owed stays owed. */
export function afterTwice(before: ScheduleProgress, { run, progress }: { readonly run: PlannedRun; readonly progress: ScheduleProgress }, now: Date): ScheduleProgress {
  // A retry of that very minute would find the same snapshot again.
  return { ...progress, owed: before.owed, retryAt: before.retryAt?.getTime() === run.dueAt.getTime() ? now : before.retryAt };
}

export function isClockWrong({ handledUntil }: Pick<ScheduleProgress, 'handledUntil'>, now: Date): boolean {
  return handledUntil.getTime() - now.getTime() > CLOCK_WAS_WRONG_MS;
}

/** When to look again; null: never. */
export function nextLook(schedule: Timing, { handledUntil, retryAt }: ScheduleProgress): Date | null {
  const due = nextDue(schedule, handledUntil)?.at ?? null;
  if (due === null || retryAt === null) return due ?? retryAt;
  return due < retryAt ? due : retryAt;
}

/** A snapshot failed: its items are owed, and asked for again after a while that grows. */
export function afterFailure(progress: ScheduleProgress, items: readonly PolicyItem[], now: Date): ScheduleProgress {
  const failures = progress.failures + 1;
  const wait = Math.min(RETRY_MS * 2 ** Math.min(failures - 1, 20), LONGEST_RETRY_MS);
  return { ...progress, failures, owed: [...new Set([...progress.owed, ...items.map(({ id }) => id)])], retryAt: new Date(now.getTime() + wait) };
}

/** A snapshot is there: what it stands for is owed no more. */
export function afterSuccess(progress: ScheduleProgress, items: readonly PolicyItem[]): ScheduleProgress {
  const owed = progress.owed.filter((id) => !items.some((item) => item.id === id));
  return { ...progress, failures: 0, owed, retryAt: owed.length === 0 ? null : progress.retryAt };
}

/** A changed schedule begins now; what the old one had still to catch up is owed where the new one has it. */
export function afterChange(old: Timing, changed: Timing, progress: ScheduleProgress, { now, catchUp }: { readonly now: Date; readonly catchUp: CatchUp }): ScheduleProgress {
  const open = isClockWrong(progress, now) ? [] : gather(old, progress.handledUntil, now, catchUp).items;
  const owed = [...new Set([...progress.owed, ...open.map(({ id }) => id)])].filter((id) => changed.items.some((item) => item.id === id));
  return { handledUntil: now, failures: owed.length === 0 ? 0 : progress.failures, owed, retryAt: owed.length === 0 ? null : (progress.retryAt ?? now) };
}

/**
 * For who must not put a snapshot off: of each of these frequencies one that would come later than by the old schedule is owed at its old
 * time, to whatever item of that frequency there is now.
 * @param after of `afterChange`
 */
export function putsNothingOff(
  { old, before, changed, after }: { readonly old: Timing; readonly before: ScheduleProgress; readonly changed: Timing; readonly after: ScheduleProgress },
  { now, frequencies }: { readonly now: Date; readonly frequencies: readonly FrequencyType[] },
): ScheduleProgress {
  const owed = new Set(after.owed);
  let { retryAt } = after;
  for (const frequency of frequencies) {
    const [was, is] = [nextOf(old, before, { frequency, now }), nextOf(changed, after, { frequency, now })];
    const item = changed.items.find(({ frequencyType }) => frequencyType === frequency);
    if (was === null || item === undefined || (is !== null && is <= was)) continue;
    owed.add(item.id);
    if (retryAt === null || was < retryAt) retryAt = was;
  }
  return { ...after, owed: [...owed], retryAt };
}

/** When a snapshot of a frequency comes next, owed ones among them. */
function nextOf(timing: Timing, { owed, retryAt }: ScheduleProgress, { frequency, now }: { readonly frequency: FrequencyType; readonly now: Date }): Date | null {
  const items = timing.items.filter(({ frequencyType }) => frequencyType === frequency);
  const due = nextDue({ ...timing, items }, now)?.at ?? null;
  const isOwed = retryAt !== null && items.some(({ id }) => owed.includes(id));
  return isOwed && (due === null || retryAt < due) ? retryAt : due;
}

function owedItems({ items }: Timing, { owed }: ScheduleProgress): readonly PolicyItem[] {
  return items.filter(({ id }) => owed.includes(id));
}

/** `last`: decided up to there, also where nothing is asked for. `count`: due times that are asked for. */
function gather(schedule: Timing, after: Date, now: Date, catchUp: CatchUp): { readonly last: Date | null; readonly items: readonly PolicyItem[]; readonly count: number } {
  const oldest = catchUp === 'once' ? -Infinity : now.getTime() - ON_TIME_MS;
  let last: Date | null = null;
  let count = 0;
  const items = new Map<string, PolicyItem>();
  for (const due of dueTimes(schedule, after, now)) {
    last = due.at;
    if (due.at.getTime() < oldest) continue;
    count += 1;
    for (const item of due.items) items.set(item.id, item);
  }
  return { last, items: [...items.values()], count };
}
