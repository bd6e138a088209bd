// Finds chunks, reads them and verifies them; a copy in another pack is tried before giving up.
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import type { RepositoryContext } from '../context.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES, writeChunkEntry } from '../format/chunk-entry.ts';
import { packName } from '../format/names.ts';

/** Neighbouring chunks of one pack, in order of offset. */
export interface ChunkRange {
  readonly packId: string;
  readonly offset: number;
  readonly length: number;
  readonly chunks: readonly ChunkLocation[];
}

export interface ChunkLoader {
  /** Every copy, the best to read first. @throws REPOSITORY_CHUNK_MISSING */
  locate(id: Buffer): Promise<readonly [ChunkLocation, ...ChunkLocation[]]>;
  /** Verified raw bytes. @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED */
  load(id: Buffer): Promise<Buffer>;
  /** Verified raw bytes of each chunk of the range, in its order; each may fail for itself. */
  loadRange(range: ChunkRange): Promise<readonly Promise<Buffer>[]>;
}

const DOWN_MS = 30_000;

type Context = Pick<RepositoryContext, 'storage' | 'clock' | 'index' | 'pool' | 'packKeys' | 'refreshIndex' | 'recoverIndex'>;

/** Verified raw bytes of a chunk from a copy of the repository; null where none has it. */
export type ChunkFromCopy = (id: Buffer, cause: unknown) => Promise<Buffer | null>;

/** @param fromCopy asked for what this store can not give */
export function createChunkLoader(context: Context, unreadableIndexes: ReadonlyMap<string, LeafvaultError>, fromCopy?: ChunkFromCopy): ChunkLoader {
  const locate = async (id: Buffer): Promise<readonly [ChunkLocation, ...ChunkLocation[]]> => {
    let copies = await context.index.find(id);
    if (copies.length === 0) {
      // A snapshot that was made after this reader was opened.
      await context.refreshIndex();
      copies = await context.index.find(id);
    }
    if (copies.length === 0) {
      // The index that named it is lost or damaged: the packs know themselves what they hold.
      await context.recoverIndex();
      copies = await context.index.find(id);
    }
    const [first, ...others] = copies;
    if (first === undefined) throw missing(id, unreadableIndexes);
    return [first, ...others];
  };

  const loadHere = async (id: Buffer): Promise<Buffer> => {
    const failures: unknown[] = [];
    const tried = new Set<string>();
    const tryEach = async (copies: readonly ChunkLocation[]): Promise<Buffer | null> => {
      for (const copy of copies) {
        if (tried.has(copy.packId)) continue;
        tried.add(copy.packId);
        try {
          return await loadCopy(context, copy);
        } catch (error) {
          if (!isCopyFault(error)) throw error;
          failures.push(error);
        }
      }
      return null;
    };
    const found = await tryEach(await locate(id));
    if (found !== null) return found;
    // A pack that is gone may have been pruned, and the chunk given another place since the index was read.
    if (failures.some((failure) => isLeafvaultError(failure, 'REPOSITORY_CHUNK_MISSING'))) {
      await context.refreshIndex();
      const moved = await tryEach(await context.index.find(id));
      if (moved !== null) return moved;
    }
    throw failures[0];
  };

  // A store that fails costs seconds of tries; for a while nobody waits for it again.
  let down: { readonly until: number; readonly cause: unknown } | null = null;
  const isDown = (): boolean => down !== null && context.clock.now().getTime() < down.until;
  const noteFailure = (cause: unknown): void => {
    if (isLeafvaultError(cause) && cause.code.startsWith('STORAGE_')) down = { until: context.clock.now().getTime() + DOWN_MS, cause };
  };

  const load = async (id: Buffer): Promise<Buffer> => {
    if (fromCopy !== undefined && isDown()) {
      const raw = await fromCopy(id, down?.cause);
      if (raw !== null) return raw;
    }
    try {
      return await loadHere(id);
    } catch (error) {
      noteFailure(error);
      const raw = fromCopy === undefined || !mayBeInCopy(error) ? null : await fromCopy(id, error);
      if (raw === null) throw error;
      return raw;
    }
  };

  return {
    locate,
    load,
    async loadRange(range) {
      if (fromCopy !== undefined && isDown()) return range.chunks.map(({ id }) => load(id));
      const opened = await openRange(context, range).catch((error: unknown) => {
        if (!isCopyFault(error) && (fromCopy === undefined || !mayBeInCopy(error))) throw error;
        noteFailure(error);
        return range.chunks.map(() => error);
      });
      // What this copy cannot give, another may.
      return opened.map(async (raw, i) => (Buffer.isBuffer(raw) ? raw : load((range.chunks[i] as ChunkLocation).id)));
    },
  };
}

/** What a copy of the repository may give where this store can't: the chunk, or the store itself, is damaged or gone. */
function mayBeInCopy(error: unknown): boolean {
  return isCopyFault(error) || isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED') || (isLeafvaultError(error) && error.code.startsWith('STORAGE_'));
}

/** Faults of one copy: another copy, or another place in the pack, may be sound. */
function isCopyFault(error: unknown): boolean {
  return isLeafvaultError(error, 'REPOSITORY_CHUNK_DAMAGED') || isLeafvaultError(error, 'REPOSITORY_CHUNK_MISSING');
}

/** Bytes of a pack. @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED */
async function readStored(context: Context, packId: string, offset: number, length: number): Promise<Buffer> {
  const name = packName(packId);
  try {
    return await context.storage.get(name, { offset, length });
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

async function loadCopy(context: Context, copy: ChunkLocation): Promise<Buffer> {
  const [raw] = await openRange(context, { packId: copy.packId, offset: copy.offset, length: copy.storedLength, chunks: [copy] });
  if (raw === undefined) throw new Error('a range of one chunk gave none');
  if (raw instanceof LeafvaultError) throw raw;
  return raw;
}

/**
 * For each chunk of the range its verified raw bytes, or why it has none (REPOSITORY_CHUNK_DAMAGED, REPOSITORY_CHUNK_UNSUPPORTED).
 * @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED where the whole range cannot be read
 */
export async function openRange(context: Context, range: ChunkRange): Promise<readonly (Buffer | LeafvaultError)[]> {
  const stored = await readStored(context, range.packId, range.offset, range.length);
  const answer = await context.pool.open({
    stored, packKey: await packKeyOf(context, range.packId), packId: Buffer.from(range.packId, 'hex'), entries: packEntries(range),
  });
  const faults = new Map(answer.faults.map(({ chunk, reason }) => [chunk, reason]));
  let at = 0;
  return range.chunks.map((chunk, i) => {
    const raw = Buffer.from(answer.raw.buffer, answer.raw.byteOffset + at, chunk.rawLength);
    at += chunk.rawLength;
    if (chunk.type !== CHUNK_TYPES.plain && chunk.type !== CHUNK_TYPES.zstd) return unsupported(chunk);
    const reason = faults.get(i);
    return reason === undefined ? raw : damagedChunk(chunk, reason);
  });
}

async function packKeyOf(context: Context, packId: string): Promise<Buffer> {
  try {
    return await context.packKeys.of(packId);
  } catch (cause) {
    if (isLeafvaultError(cause, 'REPOSITORY_OBJECT_MISSING')) {
      throw new LeafvaultError('REPOSITORY_CHUNK_MISSING', `Reading from ${packName(packId)} failed: the pack is gone`, { cause, details: { pack: packId, object: packName(packId) }, hint: CHECK });
    }
    if (!isLeafvaultError(cause, 'REPOSITORY_OBJECT_DAMAGED') && !isLeafvaultError(cause, 'REPOSITORY_FORMAT_NEWER')) throw cause;
    throw new LeafvaultError('REPOSITORY_CHUNK_DAMAGED', `Reading from ${packName(packId)} failed: ${cause.message}`, {
      cause, details: { pack: packId, object: packName(packId) }, hint: CHECK,
    });
  }
}

function packEntries(range: ChunkRange): Buffer {
  const entries = Buffer.allocUnsafeSlow(range.chunks.length * CHUNK_ENTRY_BYTES);
  range.chunks.forEach((chunk, i) => writeChunkEntry(entries, i * CHUNK_ENTRY_BYTES, { ...chunk, offset: chunk.offset - range.offset }));
  return entries;
}

const CHECK = 'Run `leafvault check --read-data` to see what it costs, and bring the pack back from a copy of the store if there is one';

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

function missing(id: Buffer, unreadable: ReadonlyMap<string, LeafvaultError>): LeafvaultError {
  const [cause] = unreadable.values();
  const why = cause === undefined ? 'no index names it' : 'no index that can be read names it';
  return new LeafvaultError('REPOSITORY_CHUNK_MISSING', `Reading the chunk ${id.toString('hex')} failed: ${why}`, {
    cause, details: { pack: null, chunk: id.toString('hex'), unreadableIndexes: [...unreadable.keys()] }, hint: CHECK,
  });
}
