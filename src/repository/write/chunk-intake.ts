// Takes chunks in: copied to shared memory, named and sealed by worker threads, then settled in the order
// of the calls: known, or placed into a pack.
import { LeafvaultError } from '../../foundation/errors.ts';
import { NO_BAD_COPIES, type BadCopies } from '../bad-copies.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import { isSafelyStored, safeCopy } from '../chunk-index/resting.ts';
import { createByteBudget } from '../chunks/byte-budget.ts';
import { SLOT_DATA_AT, type PackPlace, type SealTask, type SealedBase } from '../chunks/chunk-jobs.ts';
import { sealedBound } from '../chunks/seal-chunk.ts';
import type { RepositoryContext } from '../context.ts';
import { CHUNK_ID_BYTES, CHUNK_TYPES, FLAG_PAGE, MAX_CHUNK_BYTES } from '../format/chunk-entry.ts';
import type { BaseHint, ChunkRef } from '../repository.ts';
import { createBaseReads } from './base-reads.ts';
import { bytesOfBase, chooseBase, readBase } from './choose-base.ts';
import type { PackDraft, PlacedChunk } from './pack-draft.ts';
import type { PackLine } from './pack-line.ts';
import { createTrust } from './trusted-copies.ts';

export interface IntakeCounts {
  chunks: number;
  rawBytes: number;
  newChunks: number;
  newRawBytes: number;
}

export interface ChunkIntake {
  put(raw: Uint8Array, records: number, options: PutOptions): Promise<ChunkRef>;
  /** Counts a chunk that is stored already. @returns false where it is not, or nothing new may rest on it */
  takeOver(ref: ChunkRef): Promise<boolean>;
  /** Takes a delta to another pack as it is, without its base. @returns false where what lies there was altered */
  move(delta: MovedDelta): Promise<boolean>;
  readonly counts: Readonly<IntakeCounts>;
  /** Resolves when everything that was taken in is settled. */
  settled(): Promise<void>;
  fail(error: unknown): void;
}

export interface PutOptions {
  /** The chunk is a page of a list. */
  readonly page: boolean;
  readonly base?: BaseHint | undefined;
}

export interface MovedDelta {
  readonly id: Buffer;
  readonly baseId: Buffer;
  readonly flags: number;
  readonly rawLength: number;
  readonly stored: Uint8Array;
  readonly from: PackPlace;
}

/** Where a chunk is sealed, and for which place. */
interface Sealing { readonly slot: Slot; readonly pack: PackDraft; readonly counter: number }

/** What became of a chunk before its turn; `perhaps`: known or not, which is settled in its turn. */
type Outcome = 'known' | 'perhaps' | 'broken' | SealedForm;
type SealedForm = Pick<PlacedChunk, 'type' | 'baseId'> & { readonly storedLength: number };

interface Slot {
  readonly memory: SharedArrayBuffer;
  readonly bytes: Buffer;
}

/** Raw bytes under way in the worker threads; 8 MiB keep them busy and cost little. */
const UNDER_WAY_BYTES = 8 * 1024 * 1024;
/** What bases of chunks under way take besides. A budget of its own: who holds some waits for nobody, and two that wait for each other there can't be. */
const BASES_BYTES = 8 * 1024 * 1024;
const SLOT_BYTES = 512 * 1024;

type Context = Pick<RepositoryContext, 'index' | 'pool' | 'storage' | 'packKeys'>;

export interface IntakeOptions {
  /** Packs whose chunks have to be stored anew; `all`: every chunk is, and none is looked for. */
  readonly condemned: ReadonlySet<string> | 'all';
  /** Copies on which nothing new may rest either. */
  readonly bad?: BadCopies;
  /** Of the writer: ends reads of bases. */
  readonly signal?: AbortSignal;
}

export function createChunkIntake(context: Context, line: PackLine, { condemned, bad = NO_BAD_COPIES, signal }: IntakeOptions): ChunkIntake {
  const budget = createByteBudget(UNDER_WAY_BYTES);
  const baseBudget = createByteBudget(BASES_BYTES);
  const baseReads = createBaseReads(context, signal);
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

  const isSafe = createTrust(context, condemned === 'all' ? new Set() : condemned, bad);

  const seal = async ({ slot, pack, counter }: Sealing, rawLength: number, task: SealTask, base: SealedBase | null = null): Promise<'perhaps' | SealedForm> => {
    const { type, storedLength, mayBeKnown } = await context.pool.seal({ slot: slot.memory, rawLength, packKey: pack.key, packId: pack.idBytes, counter, task, base });
    if (mayBeKnown) return 'perhaps';
    return { type, storedLength, ...(type === CHUNK_TYPES.delta && base !== null ? { baseId: Buffer.from(base.id) } : {}) };
  };

  // Hints are asked for in the order of the calls.
  let hinted: Promise<unknown> = Promise.resolve();

  /** Named first: what is known needs no base, and what is new gets the one that is near. */
  const sealNear = async (sealing: Sealing, rawLength: number, base: BaseHint): Promise<Outcome> => {
    const named = seal(sealing, rawLength, 'name');
    const before = hinted;
    const hint = Promise.all([named, before]).then(() => base(idIn(sealing.slot)));
    hinted = hint.catch(() => undefined);
    const [outcome, near] = await Promise.all([named, hint]);
    const id = idIn(sealing.slot);
    if (line.holds(id)) return 'known';
    const copies = outcome === 'perhaps' ? await context.index.find(id) : [];
    if ((await safeCopy(context.index, copies, isSafe)) !== null) return 'known';
    // What has copies that are not to be trusted is stored full: one day it may be all that is left.
    const chosen = near === null || copies.length > 0 ? null : await chooseBase(context, { id, rawLength }, near, isSafe);
    return chosen === null ? seal(sealing, rawLength, 'seal named') : sealOn(sealing, rawLength, chosen);
  };

  const sealOn = async (sealing: Sealing, rawLength: number, base: ChunkLocation): Promise<Outcome> => {
    await baseBudget.take(bytesOfBase(base));
    try {
      return await seal(sealing, rawLength, 'seal named', await readBase(context, baseReads, base, signal));
    } finally {
      baseBudget.give(bytesOfBase(base));
    }
  };

  /** Known already, or placed. Runs for one chunk at a time, in the order of the calls. */
  const settle = async (sealing: Sealing, outcome: Outcome, { flags, rawLength }: Pick<PlacedChunk, 'flags' | 'rawLength'>): Promise<Buffer> => {
    const { slot, pack, counter } = sealing;
    const id = idIn(slot);
    if (outcome === 'known' || outcome === 'broken' || line.holds(id)) return id;
    let sealed: 'perhaps' | SealedForm = outcome;
    if (sealed === 'perhaps') {
      if (condemned !== 'all' && (await isSafelyStored(context.index, id, isSafe))) return id;
      // The filter was wrong, as it may be in one case of a hundred. The counter was drawn and not used.
      sealed = await seal(sealing, rawLength, 'seal named');
      if (sealed === 'perhaps') throw new Error('a chunk that had to be sealed was not');
    }
    const { storedLength, ...form } = sealed;
    line.place(pack, slot.bytes.subarray(SLOT_DATA_AT, SLOT_DATA_AT + storedLength), { id, flags, counter, rawLength, ...form });
    counts.newChunks += 1;
    counts.newRawBytes += rawLength;
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

  /** One chunk, from its admission to its place. @param bytes that fill the slot, and that are under way @param work its outcome, at the same time as those of others */
  const takeIn = async (bytes: Uint8Array, chunk: Pick<PlacedChunk, 'flags' | 'rawLength'>, work: (sealing: Sealing) => Promise<Outcome>): Promise<{ readonly id: Buffer; readonly outcome: Outcome }> => {
    const { length } = bytes;
    const before = admitted;
    const admission = before.then(() => admit(length));
    admitted = admission.catch(() => undefined);
    const pack = await admission;
    const slot = takeSlot(length);
    slot.bytes.set(bytes, SLOT_DATA_AT);
    const sealing: Sealing = { slot, pack, counter: pack.nextCounter() };
    const previous = settledUpTo;
    const working = work(sealing);
    const own = (async () => {
      try {
        const [outcome] = await Promise.all([working, previous]);
        return { id: await settle(sealing, outcome, chunk), outcome };
      } finally {
        await Promise.allSettled([working, previous]);
        line.settle(pack, length);
        if (slot.memory.byteLength === SLOT_BYTES) freeSlots.push(slot);
        budget.give(length);
      }
    })();
    settledUpTo = own.catch(() => undefined);
    return own;
  };

  return {
    counts,
    async put(raw, records, { page, base }) {
      assertChunk(raw, records);
      const rawLength = raw.length;
      const isNear = base !== undefined && condemned !== 'all';
      const { id } = await takeIn(raw, { flags: page ? FLAG_PAGE : 0, rawLength }, (sealing) =>
        isNear ? sealNear(sealing, rawLength, base) : seal(sealing, rawLength, condemned === 'all' ? 'seal' : 'seal new'));
      counts.chunks += 1;
      counts.rawBytes += rawLength;
      return { id, rawBytes: rawLength, records };
    },
    async takeOver({ id, rawBytes }) {
      const isSafeToKeep = line.holds(id) || (condemned !== 'all' && (await isSafelyStored(context.index, id, isSafe)));
      if (!isSafeToKeep) return false;
      counts.chunks += 1;
      counts.rawBytes += rawBytes;
      return true;
    },
    async move({ id, baseId, flags, rawLength, stored, from }) {
      const { outcome } = await takeIn(stored, { flags, rawLength }, async ({ slot, pack, counter }) => {
        slot.bytes.set(id, 0);
        const to = { packKey: pack.key, packId: pack.idBytes, counter };
        const { type, storedLength } = await context.pool.reseal({ slot: slot.memory, storedLength: stored.length, rawLength, baseId, from, to });
        return storedLength === 0 ? 'broken' : { type, storedLength, baseId };
      });
      return outcome !== 'broken';
    },
    async settled() {
      await admitted;
      await settledUpTo;
    },
    fail(error) {
      budget.fail(error);
      baseBudget.fail(error);
    },
  };
}

function idIn({ bytes }: Slot): Buffer {
  return Buffer.from(bytes.subarray(0, CHUNK_ID_BYTES));
}

function assertChunk(raw: Uint8Array, records: number): void {
  if (raw.length >= 1 && raw.length <= MAX_CHUNK_BYTES && Number.isInteger(records) && records >= 0 && records <= 0xffffffff) return;
  throw new LeafvaultError('REPOSITORY_CHUNK_INVALID', `Storing a chunk of ${raw.length} bytes and ${records} records failed: it takes 1 byte to 32 MiB`, {
    details: { bytes: raw.length, records },
  });
}
