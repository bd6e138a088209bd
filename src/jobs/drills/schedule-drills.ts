// Drills that run by themselves: each due one is asked for once, by one worker. docs/design/drills.md, "Schedule".
import type { Catalog, CatalogTransaction, DrillSchedule } from '../../catalog/index.ts';
import { drillOrderOf, type Drill, type DrillDefaults, type DrillOrder, type DrillTrigger } from '../../domain/drill.ts';
import { anchorOf, nextDrillAt } from '../../domain/drill-schedule.ts';
import type { Clock } from '../../foundation/clock.ts';
import { describeError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { Chore } from '../worker.ts';

/** Puts row and job into the transaction; null where the cluster has no snapshot of all that is taken of it now. */
export type AskForDrill = (tx: CatalogTransaction, request: {
  readonly cluster: { readonly id: string; readonly projectId: string }; readonly order: DrillOrder; readonly trigger: DrillTrigger; readonly requestedBy: string;
}) => Promise<Drill | null>;

export interface ScheduleDrillsParts {
  readonly catalog: Pick<Catalog, 'drills' | 'transaction'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly defaults: DrillDefaults;
  readonly ask: AskForDrill;
}

const LOOK_EVERY_MS = 60_000;

export function scheduleDrills(parts: ScheduleDrillsParts): Chore {
  return {
    name: 'planning restore drills', everyMs: LOOK_EVERY_MS,
    async run(signal) {
      for (const schedule of await parts.catalog.drills.schedules()) {
        if (signal.aborted) return;
        // One cluster must not keep the others from theirs.
        await planWhenDue(parts, schedule).catch((error: unknown) => parts.log.warn({ cluster: schedule.clusterId, reason: describeError(error) }, 'a restore drill could not be planned; looking again'));
      }
    },
  };
}

async function planWhenDue({ catalog, clock, log, defaults, ask }: ScheduleDrillsParts, { clusterId, projectId, choices, from }: DrillSchedule): Promise<void> {
  const order = drillOrderOf(defaults, choices);
  if (order.everyHours === 0) return;
  const now = clock.now();
  const anchor = anchorOf(order, now);
  // One that lies ahead was set by a clock that was wrong: no drill would come until then.
  if (from === null || from > now) {
    await catalog.drills.moveAnchor(clusterId, from, anchor);
    return;
  }
  const due = nextDrillAt(order, from);
  if (due === null || due > now) return;
  await catalog.transaction(async (tx) => {
    if ((await tx.snapshots.newestUsual(clusterId)) === null) return;
    // Who moves it first has the drill; behind now, whatever was missed.
    if (!(await tx.drills.moveAnchor(clusterId, from, anchor))) return;
    if (await tx.drills.isUnderWay(clusterId)) log.warn({ cluster: clusterId }, 'a restore drill is due while the one before it runs; it is left out');
    else await ask(tx, { cluster: { id: clusterId, projectId }, order, trigger: 'schedule', requestedBy: 'schedule' });
  });
}
