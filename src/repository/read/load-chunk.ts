// Finds chunks, reads them and verifies them; a copy in another pack is tried before giving up.
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import type { RepositoryContext } from '../context.ts';
import { isDelta } from '../format/chunk-entry.ts';
import { packName } from '../format/names.ts';
import { rangeOfOne, type ChunkRange } from './chunk-range.ts';
import { loadBases } from './load-bases.ts';
import { CHECK, isCopyFault, openRange, type Bases } from './open-range.ts';

export interface ChunkLoader {
  /** Every copy, the best to read first: full ones before deltas. @throws REPOSITORY_CHUNK_MISSING */
  locate(id: Buffer): Promise<readonly [ChunkLocation, ...ChunkLocation[]]>;
  /** Of a delta: the copy of its base that is read first, as far as the index at hand knows. */
  baseOf(delta: ChunkLocation): Promise<ChunkLocation | null>;
  /** Verified raw bytes. @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED */
  load(id: Buffer): Promise<Buffer>;
  /** Verified raw bytes of each chunk of the range, in its order; each may fail for itself. */
  loadRange(range: ChunkRange): Promise<readonly Promise<Buffer>[]>;
  /** Verified raw bytes of what the deltas among these chunks rest on, or why a base has none. */
  loadBases(chunks: readonly ChunkLocation[]): Promise<Bases>;
}

const DOWN_MS = 30_000;
/** A base is full. Should its full copies be lost and a delta of it be left, that one is still read; then no further. */
const MAX_DEPTH = 2;

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
    const [first, ...others] = fullFirst(copies);
    if (first === undefined) throw missing(id, unreadableIndexes);
    return [first, ...others];
  };

  const baseOf = async ({ baseId }: ChunkLocation): Promise<ChunkLocation | null> => (baseId === null ? null : (fullFirst(await context.index.find(baseId))[0] ?? null));

  const basesOf = (chunks: readonly ChunkLocation[], depth: number): Promise<Bases> => loadBases({
    locate, loadRange: (range) => loadRange(range, depth + 1),
  }, chunks);

  const loadCopy = async (copy: ChunkLocation, depth: number): Promise<Buffer> => {
    if (isDelta(copy) && depth >= MAX_DEPTH) throw tooDeep(copy);
    const [raw] = await openRange(context, rangeOfOne(copy), await basesOf([copy], depth));
    if (raw === undefined) throw new Error('a range of one chunk gave none');
    if (raw instanceof LeafvaultError) throw raw;
    return raw;
  };

  const loadHere = async (id: Buffer, depth: number): Promise<Buffer> => {
    const failures: unknown[] = [];
    const tried = new Set<string>();
    const tryEach = async (copies: readonly ChunkLocation[]): Promise<Buffer | null> => {
      for (const copy of copies) {
        if (tried.has(copy.packId)) continue;
        tried.add(copy.packId);
        try {
          return await loadCopy(copy, depth);
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
      const moved = await tryEach(fullFirst(await context.index.find(id)));
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

  const load = async (id: Buffer, depth: number): Promise<Buffer> => {
    if (fromCopy !== undefined && isDown()) {
      const raw = await fromCopy(id, down?.cause);
      if (raw !== null) return raw;
    }
    try {
      return await loadHere(id, depth);
    } catch (error) {
      noteFailure(error);
      const raw = fromCopy === undefined || !mayBeInCopy(error) ? null : await fromCopy(id, error);
      if (raw === null) throw error;
      return raw;
    }
  };

  const loadRange = async (range: ChunkRange, depth: number): Promise<readonly Promise<Buffer>[]> => {
    const each = (): Promise<Buffer>[] => range.chunks.map(({ id }) => load(id, depth));
    if ((fromCopy !== undefined && isDown()) || depth >= MAX_DEPTH) return each();
    const opened = await basesOf(range.chunks, depth).then((bases) => openRange(context, range, bases)).catch((error: unknown) => {
      if (!isCopyFault(error) && (fromCopy === undefined || !mayBeInCopy(error))) throw error;
      noteFailure(error);
      return range.chunks.map(() => error);
    });
    // What this copy cannot give, another may.
    return opened.map(async (raw, i) => (Buffer.isBuffer(raw) ? raw : load((range.chunks[i] as ChunkLocation).id, depth)));
  };

  return { locate, baseOf, load: (id) => load(id, 0), loadRange: (range) => loadRange(range, 0), loadBases: (chunks) => basesOf(chunks, 0) };
}

function fullFirst(copies: readonly ChunkLocation[]): readonly ChunkLocation[] {
  return copies.length < 2 ? copies : [...copies.filter((copy) => !isDelta(copy)), ...copies.filter(isDelta)];
}

/** What a copy of the repository may give where this store can't: the chunk, or the store itself, is damaged or gone. */
function mayBeInCopy(error: unknown): boolean {
  return isCopyFault(error) || isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED') || (isLeafvaultError(error) && error.code.startsWith('STORAGE_'));
}

function tooDeep({ id, packId }: ChunkLocation): LeafvaultError {
  const name = packName(packId);
  return new LeafvaultError('REPOSITORY_CHUNK_DAMAGED', `Reading the chunk ${id.toString('hex')} of ${name} failed: it is a delta on a delta on a delta`, {
    details: { pack: packId, object: name, chunk: id.toString('hex') }, hint: CHECK,
  });
}

function missing(id: Buffer, unreadable: ReadonlyMap<string, LeafvaultError>): LeafvaultError {
  const [cause] = unreadable.values();
  const why = cause === undefined ? 'no index names it' : 'no index that can be read names it';
  return new LeafvaultError('REPOSITORY_CHUNK_MISSING', `Reading the chunk ${id.toString('hex')} failed: ${why}`, {
    cause, details: { pack: null, chunk: id.toString('hex'), unreadableIndexes: [...unreadable.keys()] }, hint: CHECK,
  });
}
