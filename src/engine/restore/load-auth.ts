// Loads users and roles into ordinary collections of `admin`, from which they are merged last of all.
import { LeafvaultError } from '../../foundation/errors.ts';
import { asBuffer, createKernel, documentLength, hashOf, newHashState, rawField, rawId, readString } from '../bson/index.ts';
import { insertRaw } from '../mongo/raw-insert.ts';
import { foldDocument } from '../replay/index.ts';
import { checkSettled, readSettled, type CollectionEntry, type SettledBatch } from '../snapshot/index.ts';
import { majorityBarrier } from './barrier.ts';
import type { RestoreContext } from './context.ts';
import { skipIn } from './instant/instant-left-out.ts';
import type { Instant } from './instant/open-instant.ts';
import { readContent } from './read-content.ts';

/** Accounts and roles in use are left out and named in the plan. @throws RESTORE_PROOF_FAILED */
export async function loadAuth(context: RestoreContext): Promise<void> {
  const { plan, authEntries } = context;
  if (plan.auth === null) return;
  for (const entry of authEntries) {
    const collection = entry.body.kind === 'users' ? plan.auth.users : plan.auth.roles;
    if (collection !== null) await loadOne(context, entry, collection, plan.auth.leftOut);
  }
}

async function loadOne(context: RestoreContext, entry: CollectionEntry, collection: string, leftOut: string[]): Promise<void> {
  const { options, target } = context;
  const settled = readSettled(entry, { reader: options.reader, hashSeed: options.hashSeed, tempDir: options.tempDir, signal: options.signal });
  const kernel = createKernel(options.hashSeed);
  const written = newHashState();
  const into = {
    db: target.db('admin'), collection, label: entry.namespace, makeSequence: context.makeSequence, ordered: false, maxDocumentBytes: target.facts.maxDocumentBytes,
  };
  const batches = inBatches(settled.batches);
  for await (const documents of context.instant === null ? batches : atInstant(context.instant, entry, batches)) {
    const kept = documents.filter((document) => {
      const name = idTextOf(document);
      const inUse = name !== null && context.inUse.has(name);
      if (inUse) leftOut.push(name);
      return !inUse;
    });
    if (kept.length === 0) continue;
    const bytes = Buffer.concat(kept);
    kernel.frame(bytes, { state: written, onSlice: () => undefined });
    await insertRaw(into, { pieces: [bytes], documents: kept.length, bytes: bytes.length }, { signal: options.signal });
  }
  checkSettled(entry, settled.state);
  // A majority read does not see what only the primary holds yet.
  await majorityBarrier(target, context.plan.restoreId);
  const found = await readContent(target, { db: 'admin', collection, hashSeed: options.hashSeed, signal: options.signal });
  if (hashOf(found) === hashOf(written)) return;
  throw new LeafvaultError('RESTORE_PROOF_FAILED', `Proving ${entry.body.kind} failed: what was read back differs from the snapshot`, { retryable: true });
}

async function* inBatches(batches: AsyncIterable<SettledBatch>): AsyncGenerator<readonly Buffer[], void, undefined> {
  for await (const { pieces } of batches) yield pieces.flatMap((piece) => [...documentsOf(piece)]);
}

/** They are so few that they pass no server: our fold alone says what they were. @throws REPLAY_OPERATION_MISSED */
async function* atInstant(instant: Instant, entry: CollectionEntry, batches: AsyncIterable<readonly Buffer[]>): AsyncGenerator<readonly Buffer[], void, undefined> {
  const { table, numberOf } = instant;
  const number = numberOf(entry);
  if (number === null) return yield* batches;
  const fold = (base: Buffer | null, id: Buffer): Buffer[] => {
    const folded = foldDocument(base, table.operationsOf(number, id), { namespace: entry.namespace, id }, skipIn(instant));
    return folded === null ? [] : [folded];
  };
  const met = new Set<string>();
  for await (const documents of batches) {
    yield documents.flatMap((document) => {
      const id = rawId(document);
      if (id === null || !table.isTouched(number, id)) return [document];
      met.add(id.toString('latin1'));
      return fold(document, id);
    });
  }
  for (const id of table.touchedIds(number)) if (!met.has(id.toString('latin1'))) yield fold(null, id);
}

function* documentsOf(piece: Uint8Array): Generator<Buffer> {
  const bytes = asBuffer(piece);
  for (let at = 0; at < bytes.length; ) {
    const length = documentLength(bytes, at);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** `db.name`, which is the `_id` of users and roles. */
function idTextOf(document: Buffer): string | null {
  const field = rawField(document, '_id');
  return field === null || field.type !== 2 ? null : readString(document, field);
}
