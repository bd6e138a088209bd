// Takes chunks in: copied to shared memory, named and sealed by worker threads, then settled in the order
// of the calls: known, or placed into a pack.
import { LeafvaultError } from '../../foundation/errors.ts';
import { NO_BAD_COPIES, type BadCopies } from '../bad-copies.ts';
import { createByteBudget } from '../chunks/byte-budget.ts';
import { SLOT_DATA_AT, type SealAnswer } from '../chunks/chunk-jobs.ts';
import { sealedBound } from '../chunks/seal-chunk.ts';
import type { RepositoryContext } from '../context.ts';
import { FLAG_PAGE } from '../format/chunk-entry.ts';
import { packName } from '../format/names.ts';
import type { ChunkRef } from '../repository.ts';
import type { PackDraft } from './pack-draft.ts';
import type { PackLine } from './pack-line.ts';

export const MAX_CHUNK_BYTES = 32 * 1024 * 1024;

export interface IntakeCounts {
  chunks: number;
  rawBytes: number;
  newChunks: number;
  newRawBytes: number;
}

export interface ChunkIntake {
  /** `page`: the chunk is a page of a list. */
  put(raw: Uint8Array, records: number, page: boolean): Promise<ChunkRef>;
  readonly counts: Readonly<IntakeCounts>;
  /** Resolves when everything that was taken in is settled. */
  settled(): Promise<void>;
  fail(error: unknown): void;
}

interface Slot {
  readonly memory: SharedArrayBuffer;
  readonly bytes: Buffer;
}

/** Raw bytes under way in the worker threads; 8 MiB keep them busy and cost little. */
const UNDER_WAY_BYTES = 8 * 1024 * 1024;
const SLOT_BYTES = 512 * 1024;

type Context = Pick<RepositoryContext, 'index' | 'pool' | 'storage'>;

/**
 * @param condemned packs whose chunks have to be stored anew; `all`: every chunk is, and none is looked for
 * @param bad copies on which nothing new may rest either
 */
export function createChunkIntake(context: Context, line: PackLine, condemned: ReadonlySet<string> | 'all', bad: BadCopies = NO_BAD_COPIES): ChunkIntake {
  const budget = createByteBudget(UNDER_WAY_BYTES);
  const freeSlots: Slot[] = [];
  const counts: IntakeCounts = { chunks: 0, rawBytes: 0, newChunks: 0, newRawBytes: 0 };
  let admitted: Promise<unknown> = Promise.resolve();
  let settledUpTo: Promise<unknown> = Promise.resolve();

  const takeSlot = (rawBytes: number): Slot => {
    const wanted = SLOT_DATA_AT + sealedBound(rawBytes);
    const free = wanted <= SLOT_BYTES ? freeSlots.pop() : undefined;
    if (free !== undefined) return free;
    const memory = new SharedArrayBuffer(Math.max(wanted, SLOT_BYTES));
    return { memory, bytes: Buffer.from(memory) };
  };

  // An index may name a pack that is gone: lost, or put by somebody who was ended long ago and woke up.
  const there = new Map<string, Promise<boolean>>();
  const isThere = (packId: string): Promise<boolean> => {
    const known = there.get(packId) ?? context.storage.stat(packName(packId)).then((found) => found !== null);
    there.set(packId, known);
    return known;
  };

  const isStored = async (id: Buffer): Promise<boolean> => {
    if (condemned === 'all') return false;
    for (const { packId, named } of await context.index.find(id)) {
      if (named && !condemned.has(packId) && !bad.has(packId, id) && (await isThere(packId))) return true;
    }
    return false;
  };

  const seal = (slot: Slot, rawLength: number, pack: PackDraft, counter: number, always: boolean): Promise<SealAnswer> =>
    context.pool.seal({ slot: slot.memory, rawLength, packKey: pack.key, packId: pack.idBytes, counter, always });

  /** Known already, or placed. Runs for one chunk at a time, in the order of the calls. */
  const settle = async (slot: Slot, answer: SealAnswer, chunk: { rawLength: number; page: boolean; pack: PackDraft; counter: number }): Promise<Buffer> => {
    const id = Buffer.from(slot.bytes.subarray(0, 32));
    if (line.holds(id)) return id;
    let sealed = answer;
    if (answer.storedLength === 0) {
      if (await isStored(id)) return id;
      // The filter was wrong, as it may be in one case of a hundred. The counter was drawn and not used.
      sealed = await seal(slot, chunk.rawLength, chunk.pack, chunk.counter, true);
    }
    const { type, storedLength } = sealed;
    line.place(chunk.pack, slot.bytes.subarray(SLOT_DATA_AT, SLOT_DATA_AT + storedLength), {
      id, type, flags: chunk.page ? FLAG_PAGE : 0, counter: chunk.counter, rawLength: chunk.rawLength,
    });
    counts.newChunks += 1;
    counts.newRawBytes += chunk.rawLength;
    return id;
  };

  const admit = async (rawLength: number): Promise<PackDraft> => {
    await budget.take(rawLength);
    try {
      return await line.expect(rawLength);
    } catch (error) {
      budget.give(rawLength);
      throw error;
    }
  };

  return {
    counts,
    async put(raw, records, page) {
      assertChunk(raw, records);
      const rawLength = raw.length;
      const before = admitted;
      const admission = before.then(() => admit(rawLength));
      admitted = admission.catch(() => undefined);
      const pack = await admission;
      const slot = takeSlot(rawLength);
      slot.bytes.set(raw, SLOT_DATA_AT);
      const counter = pack.nextCounter();
      const previous = settledUpTo;
      const sealing = seal(slot, rawLength, pack, counter, condemned === 'all');
      const own = (async () => {
        try {
          const [answer] = await Promise.all([sealing, previous]);
          return await settle(slot, answer, { rawLength, page, pack, counter });
        } finally {
          await Promise.allSettled([sealing, previous]);
          line.settle(pack, rawLength);
          if (slot.memory.byteLength === SLOT_BYTES) freeSlots.push(slot);
          budget.give(rawLength);
        }
      })();
      settledUpTo = own.catch(() => undefined);
      const id = await own;
      counts.chunks += 1;
      counts.rawBytes += rawLength;
      return { id, rawBytes: rawLength, records };
    },
    async settled() {
      await admitted;
      await settledUpTo;
    },
    fail: (error) => budget.fail(error),
  };
}

function assertChunk(raw: Uint8Array, records: number): void {
  if (raw.length >= 1 && raw.length <= MAX_CHUNK_BYTES && Number.isInteger(records) && records >= 0 && records <= 0xffffffff) return;
  throw new LeafvaultError('REPOSITORY_CHUNK_INVALID', `Storing a chunk of ${raw.length} bytes and ${records} records failed: it takes 1 byte to 32 MiB`, {
    details: { bytes: raw.length, records },
  });
}
