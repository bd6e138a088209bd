// The content proof: shadows are read back with majority and compared with the snapshot, document hash by document
// hash; their indexes by every option. Nothing that was not proven is swapped.
import { LeafvaultError } from '../../foundation/errors.ts';
import { showNamespace } from '../mongo/namespaces.ts';
import { contentOf, findDifference, sameValue, type OrderedDocument } from '../snapshot/index.ts';
import { differingLimit } from './capped-room.ts';
import { COLLECTIONS_AT_ONCE, type Load, type RestoreContext } from './context.ts';
import { eachBounded } from './each-bounded.ts';
import { isIdIndex, planIndexes } from './index-plan.ts';
import { largestFirst, totalsOf } from './load-shadows.ts';
import { uuidsOf } from './displace.ts';
import { readList } from './open-target.ts';
import { readContent } from './read-content.ts';

/** @throws RESTORE_PROOF_FAILED naming the collection and the difference */
export async function proveShadows(context: RestoreContext): Promise<void> {
  const { loads, tally } = context;
  tally.begin('prove', totalsOf(loads.map(({ expected }) => expected)));
  await eachBounded(largestFirst(loads), COLLECTIONS_AT_ONCE, async (load) => {
    await proveContent(context, load);
    await proveIndexes(context, load);
    const limit = await differingLimit(context, load);
    if (limit !== null) throw proofFailed(load.step.from, `the limit ${limit} of what it keeps is another`);
  });
}

async function proveContent({ target, options, tally, instant }: RestoreContext, { expected, step, collection }: Load): Promise<void> {
  const uuid = (await uuidsOf(target, step.db, [collection])).get(collection);
  if (uuid !== step.shadowUuid) throw proofFailed(step.from, 'the collection under construction was replaced by somebody');
  const told = { documents: 0, bytes: 0 };
  const tell = (documents: number, bytes: number): void => {
    told.documents += documents;
    told.bytes += bytes;
    tally.add(step.from, documents, bytes);
  };
  const state = await readContent(target, {
    db: step.db, collection, hashSeed: options.hashSeed, signal: options.signal, documentBytes: expected.bytes / Math.max(1, expected.documents),
    onBatch: tell, onAgain: () => tell(-told.documents, -told.bytes),
  });
  const content = contentOf(state);
  const difference = findDifference(expected, content);
  if (difference !== null) throw proofFailed(step.from, `what was read back is not what ${instant === null ? 'the snapshot holds' : 'snapshot and oplog make of it at the instant'}: ${difference}`);
  step.proven = { documents: content.documents, bytes: content.bytes, hash: content.hash };
}

async function proveIndexes({ target, options }: RestoreContext, { entry, step }: Load): Promise<void> {
  const failed = new Set(step.failedIndexes.map(({ name }) => name));
  const expected = planIndexes(entry.body, options.indexStrategy).indexes.filter((spec) => !failed.has(String(spec.get('name'))));
  const found = new Map<string, OrderedDocument>();
  for (const spec of await readList(target, step.db, { listIndexes: step.shadow })) {
    if (!isIdIndex(spec)) found.set(String(spec.get('name')), spec);
  }
  for (const spec of expected) {
    const there = found.get(String(spec.get('name')));
    if (there === undefined) throw proofFailed(step.from, `the index ${String(spec.get('name'))} is missing`);
    const other = differingField(there, spec);
    if (other !== null) throw proofFailed(step.from, `the index ${String(spec.get('name'))} has another ${other}`);
  }
  if (found.size !== expected.length) throw proofFailed(step.from, `it has ${found.size} secondary indexes instead of ${expected.length}`);
}

/** The first field that is not as it was asked for; a server writes numbers as other types, and says no simple collation. */
function differingField(found: OrderedDocument, asked: OrderedDocument): string | null {
  for (const name of new Set([...asked.keys(), ...found.keys()])) {
    const [wanted, there] = [asked.get(name), found.get(name)];
    if (sameValue(wanted, there) || (wanted !== undefined && there !== undefined && sameNumber(wanted, there))) continue;
    if (name === 'collation' && there === undefined && sameValue(wanted, SIMPLE)) continue;
    return name;
  }
  return null;
}

function sameNumber(a: unknown, b: unknown): boolean {
  return !(a instanceof Map) && !Array.isArray(a) && Number(a) === Number(b);
}

const SIMPLE = { locale: 'simple' };

function proofFailed(from: string, reason: string): LeafvaultError {
  return new LeafvaultError('RESTORE_PROOF_FAILED', `Proving ${showNamespace(from)} on the target failed: ${reason}`, {
    retryable: true, hint: 'Nothing was replaced. Restore again; if it comes back, somebody writes to the collections under construction',
    details: { namespace: from },
  });
}
