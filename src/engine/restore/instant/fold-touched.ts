// The fold of a collection whose order does not count: base without the touched documents, plus the folded ones.
import { breatheEvery } from '../../../foundation/abort.ts';
import { addToHashState, asBuffer, bytesOf, copyHashState, documentsOf, hashOf, newHashState, rawIdAt, RECORD_BYTES, subtractFromHashState, type Slice } from '../../bson/index.ts';
import { foldDocument } from '../../replay/index.ts';
import { buildExclusionSet } from '../../snapshot/exclusion-set.ts';
import type { ContentFold, FoldOptions } from './content-fold.ts';
import type { MetIds } from './met-ids.ts';

/** Documents folded from nothing between two looks at the signal. */
const AT_ONCE = 500;
/** Several collections may be loaded at once, so each keeps fewer ids in memory than a reader of one would. */
const MEMORY_IDS = 25_000;

/** @throws while it runs: REPLAY_OPERATION_MISSED and what `foldDocument` throws */
export async function openTouchedFold(options: FoldOptions & { readonly met: MetIds; readonly tempDir: string }): Promise<ContentFold> {
  const { table, number, namespace, buckets, kernel, met, signal, onSkipped } = options;
  const touched = await buildExclusionSet({ ids: inTurn(table.touchedIds(number)), idHash: (id) => kernel.idHash(id), tempDir: options.tempDir, memoryIds: MEMORY_IDS });
  const [gone, come] = [newHashState(), newHashState()];
  const count = (document: Buffer, state: typeof gone): void => kernel.frame(document, { state, onSlice: () => undefined });
  const fold = (base: Buffer | null, id: Buffer): void => {
    if (base !== null) count(base, gone);
    const folded = foldDocument(base, table.operationsOf(number, id), { namespace, buckets, id }, onSkipped);
    if (folded !== null) count(folded, come);
  };
  return {
    take({ pieces }) {
      for (const piece of pieces) {
        const found: { readonly document: Buffer; readonly id: Buffer }[] = [];
        kernel.frame(piece, { state: newHashState(), onSlice: (slice) => found.push(...touchedOf(slice, touched)) });
        for (const { document, id } of found) {
          met.add(number, id);
          fold(document, id);
        }
      }
    },
    async finish(base) {
      const breathe = breatheEvery(AT_ONCE, signal);
      for (const id of table.touchedIds(number)) {
        if (met.has(number, id)) continue;
        fold(null, id);
        await breathe();
      }
      const total = copyHashState(base);
      subtractFromHashState(total, gone);
      addToHashState(total, come);
      return { documents: documentsOf(total), bytes: bytesOf(total), hash: hashOf(total), capped: false, orderedHash: null };
    },
    close: () => touched.close(),
  };
}

/** Copies: the slice's views end with the call. */
function touchedOf(slice: Slice, touched: Awaited<ReturnType<typeof buildExclusionSet>>): { readonly document: Buffer; readonly id: Buffer }[] {
  const records = new DataView(slice.records.buffer, slice.records.byteOffset, slice.documents * RECORD_BYTES);
  const bytes = asBuffer(slice.bytes);
  const found: { readonly document: Buffer; readonly id: Buffer }[] = [];
  for (let index = 0; index < slice.documents; index++) {
    const record = index * RECORD_BYTES;
    const from = slice.offsets[index] ?? 0;
    const idAt = records.getUint32(record + 28, true);
    if (idAt === 0) continue;
    const document = bytes.subarray(from, from + records.getUint32(record + 24, true));
    const id = (): Buffer => rawIdAt(document, idAt) as Buffer;
    if (touched.has(records.getUint32(record, true), records.getUint32(record + 4, true), id)) found.push({ document: Buffer.from(document), id: Buffer.from(id()) });
  }
  return found;
}

async function* inTurn<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}
