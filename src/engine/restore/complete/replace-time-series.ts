// Time series can't be renamed: the proven copy beside is copied to the live name, proven there, then dropped.
// Stages are in docs/design/restore-protocol.md, "Time series"; every one of them goes forward only.
import { randomBytes } from 'node:crypto';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { bytesOf, documentsOf, hashOf } from '../../bson/index.ts';
import { bucketsOf } from '../../mongo/namespaces.ts';
import { insertRaw } from '../../mongo/raw-insert.ts';
import { loadSequenceMaker } from '../../mongo/raw-insert-sequence.ts';
import { decodeOrderedText, type OrderedDocument } from '../../snapshot/index.ts';
import { majorityBarrier } from '../barrier.ts';
import { buildIndexes } from '../build-indexes.ts';
import { commandOf } from '../collection-options.ts';
import { uuidsOf } from '../displace.ts';
import { listNames, type Target } from '../open-target.ts';
import type { TimeSeriesStep } from '../plan.ts';
import { readContent } from '../read-content.ts';
import type { CompleteOptions } from './complete-restore.ts';

export async function replaceTimeSeries(options: CompleteOptions): Promise<void> {
  for (const step of options.plan.timeSeries) {
    if (step.stage === 'done') continue;
    if (step.shadow !== step.name) await replaceOne(options, step);
    step.stage = 'done';
    await options.store.save(options.plan);
  }
}

async function replaceOne(options: CompleteOptions, step: TimeSeriesStep): Promise<void> {
  const { target, plan, store, log } = options;
  if (step.stage === 'beside') {
    step.stage = 'dropping';
    await store.save(plan);
  }
  await options.onPhase?.('finish:time-series:dropping');
  if (!(await clearName(target, step))) {
    const message = `${step.db}.${step.name} was made anew while the restore ran; the restored time series is ${step.db}.${step.shadow}`;
    plan.warnings.push(message);
    log.warn(message);
    step.name = step.shadow;
    return;
  }
  await target.db(step.db).command({ ...commandOf('create', step.name, decodeOrderedText(step.options)), writeConcern: { w: 'majority' } });
  step.newUuid = await bucketUuid(target, step.db, step.name);
  step.stage = 'copying';
  await store.save(plan);
  await options.onPhase?.('finish:time-series:copying');
  await copyBuckets(target, { restoreId: plan.restoreId, hold: () => store.hold(plan) }, step);
  const built = await buildIndexes(target, { db: step.db, collection: step.name, indexes: decodeOrderedText(step.indexes).get('indexes') as OrderedDocument[] });
  step.failedIndexes = [...built.failed];
}

/** Drops what the plan knows under the live name. False: somebody else's time series with data is there. */
async function clearName(target: Target, step: TimeSeriesStep): Promise<boolean> {
  const db = target.db(step.db);
  const listed = await listNames(target, step.db, [step.name, bucketsOf(step.name)]);
  const live = listed.get(step.name);
  if (live === undefined) return true;
  if (live.type !== 'timeseries') {
    if (live.type === 'collection') {
      await target.admin({ renameCollection: `${step.db}.${step.name}`, to: `${step.db}.${step.shadow}.gap`, writeConcern: { w: 'majority' } });
      return true;
    }
    return false;
  }
  const uuid = listed.get(bucketsOf(step.name))?.uuid ?? null;
  const known = uuid !== null && (uuid === step.liveUuid || uuid === step.newUuid);
  // Made by us a moment before a crash, its UUID not saved yet: nothing is in it then.
  const empty = !known && (await db.command({ find: bucketsOf(step.name), limit: 1, singleBatch: true })).cursor.firstBatch.length === 0;
  if (!known && !empty) return false;
  await db.command({ drop: step.name, writeConcern: { w: 'majority' } });
  return true;
}

/** Copies raw buckets and compares both sides under a seed of the moment. */
async function copyBuckets(target: Target, { restoreId, hold }: { readonly restoreId: string; readonly hold: () => Promise<void> }, step: TimeSeriesStep): Promise<void> {
  const hashSeed = randomBytes(32);
  const into = {
    db: target.db(step.db), collection: bucketsOf(step.name), label: `${step.db}.${step.name}`, makeSequence: loadSequenceMaker(),
    maxDocumentBytes: target.facts.maxDocumentBytes, ordered: false,
  };
  const from = await readContent(target, {
    db: step.db, collection: bucketsOf(step.shadow), hashSeed,
    onDocuments: async (documents, count) => {
      await hold();
      await insertRaw(into, { pieces: [documents], documents: count, bytes: documents.length });
    },
  });
  await majorityBarrier(target, restoreId);
  const to = await readContent(target, { db: step.db, collection: bucketsOf(step.name), hashSeed });
  if (hashOf(from) === hashOf(to) && documentsOf(from) === documentsOf(to) && bytesOf(from) === bytesOf(to)) return;
  throw new LeafvaultError('RESTORE_FINISH_FAILED', `Copying the time series ${step.db}.${step.name} to its live name failed: it has ${documentsOf(to)} buckets instead of ${documentsOf(from)}, or others`, { retryable: true });
}

async function bucketUuid(target: Target, db: string, name: string): Promise<string | null> {
  return (await uuidsOf(target, db, [bucketsOf(name)])).get(bucketsOf(name)) ?? null;
}
