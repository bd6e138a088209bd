// Reads and opens neighbouring chunks of one pack.
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { isDamage } from '../format/damage.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import type { OpenBase } from '../chunks/chunk-jobs.ts';
import type { RepositoryContext } from '../context.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES, MAX_CHUNK_BYTES, NO_BASE, writeChunkEntry } from '../format/chunk-entry.ts';
import { packName } from '../format/names.ts';
import type { ChunkRange } from './chunk-range.ts';

type Context = Pick<RepositoryContext, 'storage' | 'pool' | 'packKeys'>;

/** By hex id: verified raw bytes, or why there are none. Null: the delta is verified by its tag alone, and its raw bytes mean nothing. */
export type Bases = ReadonlyMap<string, Buffer | LeafvaultError | null>;

const NO_BASES: Bases = new Map();

/** Faults of one copy: another copy, or another place in the pack, may be sound. */
export function isCopyFault(error: unknown): error is LeafvaultError {
  return isLeafvaultError(error, 'REPOSITORY_CHUNK_DAMAGED') || isLeafvaultError(error, 'REPOSITORY_CHUNK_MISSING');
}

/** Bytes of a pack. @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED */
export async function readStored(context: Pick<Context, 'storage'>, packId: string, { offset, length }: Pick<ChunkRange, 'offset' | 'length'>, signal?: AbortSignal): Promise<Buffer> {
  const name = packName(packId);
  try {
    return await context.storage.get(name, { offset, length }, signal === undefined ? {} : { signal });
  } catch (cause) {
    if (isLeafvaultError(cause, 'STORAGE_OBJECT_MISSING')) {
      throw new LeafvaultError('REPOSITORY_CHUNK_MISSING', `Reading from ${name} failed: the pack is gone`, { cause, details: { pack: packId, object: name }, hint: CHECK });
    }
    if (isLeafvaultError(cause, 'STORAGE_RANGE_INVALID')) {
      throw new LeafvaultError('REPOSITORY_CHUNK_DAMAGED', `Reading from ${name} failed: the pack is cut off`, { cause, details: { pack: packId, object: name }, hint: CHECK });
    }
    throw cause;
  }
}

/**
 * For each chunk of the range its verified raw bytes, or why it has none (REPOSITORY_CHUNK_DAMAGED, REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_UNSUPPORTED).
 * @param bases of the deltas in it
 * @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED where the whole range cannot be read
 */
export async function openRange(context: Context, range: ChunkRange, bases: Bases = NO_BASES): Promise<readonly (Buffer | LeafvaultError)[]> {
  return openStored(context, range, await readStored(context, range.packId, range), bases);
}

/** The same of bytes in hand, which change hands. */
export async function openStored(context: Pick<Context, 'pool' | 'packKeys'>, range: ChunkRange, stored: Buffer, bases: Bases = NO_BASES): Promise<readonly (Buffer | LeafvaultError)[]> {
  const used = basesFor(range, bases);
  const answer = await context.pool.open({
    stored, packKey: await packKeyOf(context, range.packId), packId: Buffer.from(range.packId, 'hex'), entries: packEntries(range, used), bases: used,
  });
  const faults = new Map(answer.faults.map(({ chunk, reason }) => [chunk, reason]));
  let at = 0;
  return range.chunks.map((chunk, i) => {
    const raw = Buffer.from(answer.raw.buffer, answer.raw.byteOffset + at, roomFor(chunk));
    at += raw.length;
    if (chunk.type > CHUNK_TYPES.delta) return unsupported(chunk);
    if (chunk.rawLength > MAX_CHUNK_BYTES) return damagedChunk(chunk, `it is said to have ${chunk.rawLength} bytes, more than a chunk may`);
    const base = chunk.baseId === null ? undefined : bases.get(chunk.baseId.toString('hex'));
    if (base instanceof LeafvaultError) return withoutBase(chunk, base);
    const reason = faults.get(i);
    return reason === undefined ? raw : damagedChunk(chunk, reason);
  });
}

/** What is said to be larger than a chunk may be gets no memory: it can't be true. */
function roomFor({ rawLength }: ChunkLocation): number {
  return rawLength > MAX_CHUNK_BYTES ? 0 : rawLength;
}

/** In memory that the threads share, so that nothing is copied on the way to them. */
function basesFor({ chunks }: ChunkRange, bases: Bases): OpenBase[] {
  const ids = new Map(chunks.flatMap(({ baseId }) => (baseId === null ? [] : [[baseId.toString('hex'), baseId] as const])));
  const found: OpenBase[] = [];
  for (const [hex, id] of ids) {
    const raw = bases.get(hex);
    if (raw === null) found.push({ id: Uint8Array.from(id), raw: null });
    if (!Buffer.isBuffer(raw)) continue;
    const shared = new Uint8Array(new SharedArrayBuffer(raw.length));
    shared.set(raw);
    found.push({ id: Uint8Array.from(id), raw: shared });
  }
  return found;
}

/** @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED */
export async function packKeyOf(context: Pick<Context, 'packKeys'>, packId: string): Promise<Buffer> {
  try {
    return await context.packKeys.of(packId);
  } catch (cause) {
    if (isLeafvaultError(cause, 'REPOSITORY_OBJECT_MISSING')) {
      throw new LeafvaultError('REPOSITORY_CHUNK_MISSING', `Reading from ${packName(packId)} failed: the pack is gone`, { cause, details: { pack: packId, object: packName(packId) }, hint: CHECK });
    }
    if (!isLeafvaultError(cause) || !isDamage(cause)) throw cause;
    throw new LeafvaultError('REPOSITORY_CHUNK_DAMAGED', `Reading from ${packName(packId)} failed: ${cause.message}`, {
      cause, details: { pack: packId, object: packName(packId) }, hint: CHECK,
    });
  }
}

/** Entries whose offsets count from the beginning of the range, and whose bases are places among `bases`. */
function packEntries(range: ChunkRange, bases: readonly OpenBase[]): Buffer {
  const entries = Buffer.allocUnsafeSlow(range.chunks.length * CHUNK_ENTRY_BYTES);
  const places = new Map(bases.map(({ id }, place) => [Buffer.from(id).toString('hex'), place]));
  range.chunks.forEach((chunk, i) => writeChunkEntry(entries, i * CHUNK_ENTRY_BYTES, {
    ...chunk, offset: chunk.offset - range.offset, rawLength: roomFor(chunk), base: places.get(chunk.baseId?.toString('hex') ?? '') ?? NO_BASE,
  }));
  return entries;
}

export const CHECK = 'Run `leafvault check --read-data` to see what it costs, and bring the pack back from a copy of the store if there is one';

function chunkDetails(chunk: ChunkLocation): Readonly<Record<string, unknown>> {
  return { pack: chunk.packId, object: packName(chunk.packId), chunk: chunk.id.toString('hex') };
}

function damagedChunk(chunk: ChunkLocation, reason: string): LeafvaultError {
  return new LeafvaultError('REPOSITORY_CHUNK_DAMAGED', `Reading the chunk ${chunk.id.toString('hex')} of ${packName(chunk.packId)} failed: ${reason}`, {
    details: chunkDetails(chunk), hint: CHECK,
  });
}

function unsupported(chunk: ChunkLocation): LeafvaultError {
  return new LeafvaultError('REPOSITORY_CHUNK_UNSUPPORTED', `Reading the chunk ${chunk.id.toString('hex')} of ${packName(chunk.packId)} failed: its type ${chunk.type} is not known`, {
    details: chunkDetails(chunk), hint: 'Use the version of Leafvault that wrote it, or a newer one',
  });
}

/** A delta whose base can't be read: it names both. */
function withoutBase(chunk: ChunkLocation, cause: LeafvaultError): LeafvaultError {
  const base = chunk.baseId?.toString('hex') ?? '';
  return new LeafvaultError(
    cause.code === 'REPOSITORY_CHUNK_MISSING' ? cause.code : 'REPOSITORY_CHUNK_DAMAGED',
    `Reading the chunk ${chunk.id.toString('hex')} of ${packName(chunk.packId)} failed: it is a delta, and its base ${base} can not be read (${cause.message})`,
    { cause, details: { ...chunkDetails(chunk), object: cause.details['object'] ?? packName(chunk.packId), base }, hint: CHECK },
  );
}
