// Time series can't be renamed: a new one is made under the live name and filled from the proven copy, beside whatever
// applications write to it from then on. Stages are in docs/design/restore-protocol.md, "Time series"; they go forward only.
import { isLeafvaultError } from '../../../foundation/errors.ts';
import { bucketsOf, showNamespace } from '../../mongo/namespaces.ts';
import { decodeOrderedText, type OrderedDocument } from '../../snapshot/index.ts';
import { buildIndexes } from '../build-indexes.ts';
import { uuidsOf } from '../displace.ts';
import type { TimeSeriesStep } from '../plan.ts';
import type { CompleteOptions } from './complete-restore.ts';
import { compareBuckets, type BucketDifference } from './compare-buckets.ts';
import { copyBuckets, requireSeries } from './copy-buckets.ts';
import { warn } from './or-warn.ts';
import { takeName } from './take-name.ts';

/** Safe to call again. @throws RESTORE_FINISH_FAILED, retryable */
export async function replaceTimeSeries(options: CompleteOptions): Promise<void> {
  const { plan, store, log } = options;
  for (const step of plan.timeSeries) {
    if (step.stage === 'done') continue;
    if (step.shadow !== step.name) await fill(options, step);
    for (const gap of (await uuidsOf(options.target, step.db, step.gaps)).keys()) warn(plan, log, `${showNamespace(`${step.db}.${step.name}`)} was a plain collection that applications wrote to; it is kept as ${showNamespace(`${step.db}.${gap}`)}: look at its documents, then drop it`);
    step.stage = 'done';
    await store.save(plan);
  }
}

async function fill(options: CompleteOptions, step: TimeSeriesStep): Promise<void> {
  if (step.stage !== 'copying' && !(await isWhole(options, step))) return lose(options, step, 'the live one stays as it is');
  if (step.stage !== 'copying' && !(await take(options, step))) return leaveBeside(options, step, 'another time series was made under its name meanwhile, or something that none can be made over');
  try {
    await options.onPhase?.('finish:time-series:copying');
    await copyBuckets(options, step);
    await options.onPhase?.('finish:time-series:comparing');
    const difference = await compareBuckets(options, step);
    // First: without the copy there is nothing that could be left beside.
    if (difference.proven !== step.proven?.documents || !(await isWhole(options, step))) return lose(options, step, 'the live one holds what had been copied by then');
    await requireSeries(options.target, step);
    keepWhatDiffers(options, step, difference);
    const built = await buildIndexes(options.target, { db: step.db, collection: step.name, indexes: decodeOrderedText(step.indexes).get('indexes') as OrderedDocument[] });
    step.failedIndexes = [...built.failed];
  } catch (error) {
    if (!isLeafvaultError(error, 'RESTORE_COLLECTION_REPLACED')) throw error;
    leaveBeside(options, step, 'the new one was dropped while it was being filled');
  }
}

/** The copy that was proven, with as many buckets. */
async function isWhole({ target }: CompleteOptions, { db, shadow, shadowUuid, proven }: TimeSeriesStep): Promise<boolean> {
  const buckets = bucketsOf(shadow);
  if ((await uuidsOf(target, db, [buckets])).get(buckets) !== shadowUuid) return false;
  return Number((await target.db(db).command({ count: buckets, readConcern: { level: 'majority' } })).n) === proven?.documents;
}

/** Nothing is put right by going on, and nothing by waiting: the restore ends, and says that it failed. */
function lose({ plan, log }: CompleteOptions, { db, name, shadow }: TimeSeriesStep, what: string): void {
  warn(plan, log, `the proven copy ${showNamespace(`${db}.${shadow}`)} of the time series ${showNamespace(`${db}.${name}`)} was dropped or changed by somebody: ${what}`);
  plan.lost = [...new Set([...plan.lost, `${db}.${name}`])];
}

/** False: the name is somebody else's. */
async function take(options: CompleteOptions, step: TimeSeriesStep): Promise<boolean> {
  const { plan, store } = options;
  step.stage = 'dropping';
  await store.save(plan);
  await options.onPhase?.('finish:time-series:dropping');
  step.newUuid = await takeName(options, step);
  if (step.newUuid === null) return false;
  step.stage = 'copying';
  await store.save(plan);
  return true;
}

/** What differs is told, and all that was proven is kept beside. */
function keepWhatDiffers({ plan, log }: CompleteOptions, step: TimeSeriesStep, { missing, changed }: BucketDifference): void {
  if (missing + changed === 0) return;
  const copy = `${step.db}.${step.shadow}`;
  if (!plan.kept.includes(copy)) plan.kept.push(copy);
  warn(plan, log, `applications wrote to ${showNamespace(`${step.db}.${step.name}`)} while it was filled: of its ${step.proven?.documents ?? 0} restored buckets ${missing} were deleted and ${changed} changed; all of them are kept as ${showNamespace(copy)}`);
}

/** The proven copy stays where it was loaded, and is what the restore made. */
function leaveBeside({ plan, log }: CompleteOptions, step: TimeSeriesStep, reason: string): void {
  warn(plan, log, `${showNamespace(`${step.db}.${step.name}`)} is left alone: ${reason}; the restored time series is ${showNamespace(`${step.db}.${step.shadow}`)}`);
  step.name = step.shadow;
}
