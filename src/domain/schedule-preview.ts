// What a schedule would do from now on: the planner itself, on a clock that jumps from one look to the next.
import { expiryOf, type FrequencyType, type KeptItem, frequencyOf } from './retention.ts';
import { keptItems, type SnapshotSchedule } from './schedule.ts';
import { nextLook, planRun, type ScheduleProgress } from './plan-run.ts';

export interface PreviewedRun {
  readonly at: Date;
  readonly frequencyType: FrequencyType;
  readonly items: readonly KeptItem[];
  /** Of a snapshot whose data is of this instant. */
  readonly expiresAt: Date;
  readonly missed: number;
}

export interface Preview {
  readonly runs: readonly PreviewedRun[];
  /** There are more before the end that was asked for. */
  readonly isCut: boolean;
}

/** Oldest first; the first may be one that is owed or was missed. Times that went by are one run at `now`. */
export function previewSchedule(
  schedule: SnapshotSchedule, given: ScheduleProgress, { now, until, limit, catchUp }: { readonly now: Date; readonly until: Date; readonly limit: number; readonly catchUp: 'once' | 'skip' },
): Preview {
  const runs: PreviewedRun[] = [];
  let progress = given;
  for (;;) {
    const look = nextLook(schedule, progress);
    if (look === null) return { runs, isCut: false };
    const at = look < now ? now : look;
    if (at > until) return { runs, isCut: false };
    const planned = planRun(schedule, progress, { now: at, catchUp });
    progress = planned.progress;
    const frequencyType = planned.run === null ? null : frequencyOf(planned.run.items);
    if (planned.run === null || frequencyType === null) continue;
    if (runs.length === limit) return { runs, isCut: true };
    const items = keptItems(schedule, planned.run.items);
    runs.push({ at, frequencyType, items, expiresAt: expiryOf(at, items), missed: planned.run.missed });
  }
}
