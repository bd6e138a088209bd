// Brings a new, empty time series under its live name, against applications that write to that name all the time.
import { MongoServerError, type Document } from 'mongodb';
import { bucketsOf } from '../../mongo/namespaces.ts';
import { decodeOrderedText, sameValue, type OrderedDocument } from '../../snapshot/index.ts';
import { commandOf } from '../collection-options.ts';
import { majorityBarrier } from '../barrier.ts';
import { listNames, isNamespaceMissing, type Listed } from '../open-target.ts';
import type { TimeSeriesStep } from '../plan.ts';
import type { CompleteOptions } from './complete-restore.ts';
import { fillFailed } from './fill-failed.ts';

// Each lost try is one insert of an application between two commands. Nine busy writers cost at most three tries.
const TRIES = 100;

/** In a row, with the name free: no application is that quick. */
const REFUSALS = 5;

const NAMESPACE_EXISTS = 48;

/**
 * Drops the series that is to be replaced, moves plain collections out of the way (the names they get are in the saved plan
 * before), creates the new one.
 * @returns UUID of its buckets, which a majority holds; null: a series of somebody else, with other options, or a view has the name, and keeps it
 * @throws RESTORE_FINISH_FAILED when applications won every try
 */
export async function takeName(options: CompleteOptions, step: TimeSeriesStep): Promise<string | null> {
  const { target, plan, store } = options;
  const db = target.db(step.db);
  const wanted = decodeOrderedText(step.options);
  let refused = 0;
  let committed: string | null = null;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await store.hold(plan);
    const listed = await listNames(target, step.db, [step.name, bucketsOf(step.name)]);
    const live = listed.get(step.name);
    const buckets = listed.get(bucketsOf(step.name))?.uuid ?? null;
    if (live !== undefined) {
      if (live.type === 'view' || buckets === null && live.type === 'timeseries') return null;
      if (live.type === 'collection') await moveAside(options, step);
      else if (buckets === step.liveUuid) await unlessMoved(() => db.command({ drop: step.name, writeConcern: { w: 1 } }));
      else if (!isWanted(live, wanted)) return null;
      // Made by us, also a moment before a crash, or by an application that wants the same. What a primary alone had goes with it.
      else if (buckets === committed) return buckets;
      else {
        await majorityBarrier(target, plan.restoreId);
        committed = buckets;
        continue;
      }
    }
    // At once: each moment the name is free is one for applications, and a look at a slow server or a wait for a distant member
    // would let them win each time. But not by a worker that stood still meanwhile.
    await store.hold(plan);
    const made = await unlessMoved(() => db.command({ ...commandOf('create', step.name, wanted), writeConcern: { w: 1 } }));
    // Buckets of other options without their series, or a plain collection of that name: nothing can be made over it. Those
    // that a lost try of ours left are taken over by the next.
    refused = made || live !== undefined || buckets === null ? 0 : refused + 1;
    if (refused === REFUSALS) return null;
  }
  throw fillFailed(step, `applications made a plain collection of its name in each of ${TRIES} tries; stop them for a moment`);
}

async function moveAside({ target, plan, store }: CompleteOptions, step: TimeSeriesStep): Promise<void> {
  const gap = `${step.shadow}.gap${step.gaps.length + 1}`;
  step.gaps.push(gap);
  await store.save(plan);
  await unlessMoved(() => target.admin({ renameCollection: `${step.db}.${step.name}`, to: `${step.db}.${gap}`, writeConcern: { w: 1 } }));
}

/** False: somebody else was quicker, or something is in the way; the loop looks anew. */
async function unlessMoved(run: () => Promise<Document>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (!isNamespaceMissing(error) && !(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error;
    return false;
  }
}

/** Expiry apart, which is set at the end. */
function isWanted(live: Listed, wanted: OrderedDocument): boolean {
  return ['timeseries', 'collation'].every((name) => sameValue(live.options.get(name), wanted.get(name)));
}
