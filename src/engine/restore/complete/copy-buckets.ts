// Copies the raw buckets of a proven time series into the live one.
import { LeafvaultError } from '../../../foundation/errors.ts';
import { bucketsOf, showNamespace } from '../../mongo/namespaces.ts';
import { insertRaw } from '../../mongo/raw-insert.ts';
import { loadSequenceMaker } from '../../mongo/raw-insert-sequence.ts';
import { majorityBarrier } from '../barrier.ts';
import { uuidsOf } from '../displace.ts';
import type { Target } from '../open-target.ts';
import type { TimeSeriesStep } from '../plan.ts';
import { readContent } from '../read-content.ts';
import type { CompleteOptions } from './complete-restore.ts';
import { fillFailed } from './fill-failed.ts';

const TRIES = 5;

/**
 * Ends with a majority barrier on the primary on which it began, so that what is missing afterwards was deleted by somebody.
 * Buckets that are there already are passed over.
 * @throws RESTORE_COLLECTION_REPLACED when somebody drops the series; RESTORE_FINISH_FAILED when the primary changed in every try
 */
export async function copyBuckets({ target, plan, store }: CompleteOptions, step: TimeSeriesStep): Promise<void> {
  const into = {
    db: target.db(step.db), collection: bucketsOf(step.name), label: `${step.db}.${step.name}`, makeSequence: loadSequenceMaker(),
    maxDocumentBytes: target.facts.maxDocumentBytes, ordered: false,
    // An insert into buckets that are gone makes a plain collection of their name, which no series can be made or dropped over.
    ...(knowsUuids(target) ? { collectionUuid: step.newUuid ?? '' } : {}),
  };
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const elected = await target.electionId();
    await readContent(target, {
      db: step.db, collection: bucketsOf(step.shadow), hashSeed: NO_SEED,
      onDocuments: async (documents, count) => {
        await store.hold(plan);
        if (!knowsUuids(target)) await requireSeries(target, step);
        await insertRaw(into, { pieces: [documents], documents: count, bytes: documents.length }, { resend: true });
      },
    });
    await majorityBarrier(target, plan.restoreId);
    if ((await target.electionId()) === elected) return;
  }
  throw fillFailed(step, `the primary changed in each of ${TRIES} tries`);
}

/** Nobody looks at the hash of this pass: buckets are compared byte by byte afterwards. */
const NO_SEED = new Uint8Array(32);

function knowsUuids({ facts }: Target): boolean {
  return Number.parseInt(facts.version, 10) >= 6;
}

/** @throws RESTORE_COLLECTION_REPLACED */
export async function requireSeries(target: Target, { db, name, newUuid }: TimeSeriesStep): Promise<void> {
  if ((await uuidsOf(target, db, [bucketsOf(name)])).get(bucketsOf(name)) === newUuid) return;
  throw new LeafvaultError('RESTORE_COLLECTION_REPLACED', `Filling the time series ${showNamespace(`${db}.${name}`)} failed: somebody dropped it, or made another one in its place`);
}
