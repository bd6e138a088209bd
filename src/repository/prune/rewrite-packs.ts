// Puts live chunks of packs that go into new ones, as a writer does, and names those in an index.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { releaseMemory } from '../../foundation/release-memory.ts';
import type { RepositoryContext } from '../context.ts';
import { CHUNK_TYPES, FLAG_PAGE, NO_BASE } from '../format/chunk-entry.ts';
import type { ChunkLoader } from '../read/load-chunk.ts';
import { openStored, packKeyOf, readStored } from '../read/open-range.ts';
import { createChunkIntake, type ChunkIntake, type MovedDelta } from '../write/chunk-intake.ts';
import { createPackLine } from '../write/pack-line.ts';
import type { Move } from './find-moves.ts';
import type { IsBad } from './kept-copy.ts';

export interface RewriteOptions {
  readonly context: RepositoryContext;
  readonly loader: ChunkLoader;
  readonly packBytes: number | undefined;
  /** Copies that a check found bad. */
  readonly isBad: IsBad | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onIndexStored: (name: string) => void;
  readonly onProgress: (writtenBytes: number) => void;
}

export interface Rewritten {
  readonly writtenBytes: number;
  /** Packs that hold a chunk which can't be read: they stay. */
  readonly damaged: ReadonlySet<string>;
}

/** Of chunks that are opened and sealed at once: each costs half a MiB while it is sealed. */
const GROUP_BYTES = 4 * 1024 * 1024;
const GROUP_CHUNKS = 64;

export async function rewriteChunks(options: RewriteOptions, moves: AsyncIterable<Move>): Promise<Rewritten> {
  const { context, signal, packBytes, onIndexStored } = options;
  const stopping = new AbortController();
  let writtenBytes = 0;
  const line = createPackLine(context, {
    signal: signal === undefined ? stopping.signal : AbortSignal.any([stopping.signal, signal]), targetBytes: packBytes, onIndexStored,
    onStored: (bytes) => { writtenBytes += bytes; },
    onFailure: (error) => {
      intake.fail(error);
      stopping.abort(error);
    },
  });
  const intake = createChunkIntake(context, line, { condemned: 'all' });
  const damaged = new Set<string>();
  try {
    for await (const group of inGroups(moves)) {
      throwIfAborted(signal);
      await rewriteGroup(options, group, { damaged, intake });
      options.onProgress(writtenBytes);
    }
    await intake.settled();
    await line.finish();
  } catch (error) {
    stopping.abort(error);
    await intake.settled();
    await line.idle();
    throw error;
  }
  return { writtenBytes, damaged };
}

interface Target { readonly damaged: Set<string>; readonly intake: Pick<ChunkIntake, 'put' | 'move'> }

async function rewriteGroup({ context, loader, isBad }: RewriteOptions, group: readonly Move[], { damaged, intake }: Target): Promise<void> {
  const stored = await readGroup(context, group);
  const deltas = stored instanceof LeafvaultError ? [] : await sealedDeltas(context, group, stored);
  const opened = await openGroup(context, group, stored);
  await Promise.all(group.map(async ({ id, flags, packNumber }, i) => {
    const [raw, delta] = [opened[i], deltas[i] ?? null];
    try {
      // One that is known to be bad has a sound tag, perhaps: only who reads it with its base can tell. Under a new name nobody would know of it.
      if (delta !== null && isBad?.(packNumber, id) !== true && (await intake.move(delta))) return;
      await intake.put(Buffer.isBuffer(raw) ? raw : await loader.load(id), 0, { page: (flags & FLAG_PAGE) !== 0 });
    } catch (error) {
      if (!isReadFault(error)) throw error;
      context.log.warn({ chunk: id.toString('hex'), reason: error.message }, 'a chunk can not be read; the packs that hold it stay');
      for (const { packId } of await context.index.find(id)) damaged.add(packId);
    }
  }));
  const sound = opened.find((raw) => Buffer.isBuffer(raw));
  if (sound !== undefined) releaseMemory(new Uint8Array(sound.buffer));
}

/** Bytes of the pack from the first to the last of them, or why there are none. */
async function readGroup(context: RepositoryContext, group: readonly Move[]): Promise<Buffer | LeafvaultError> {
  const [first, last] = [group[0] as Move, group.at(-1) as Move];
  try {
    return await readStored(context, context.index.packs.idOf(first.packNumber), { offset: first.offset, length: last.offset + last.storedLength - first.offset });
  } catch (error) {
    if (!isReadFault(error)) throw error;
    return error;
  }
}

/** Of each delta what it takes to move it as it is; null for full chunks, and where the key of the pack can't be had. */
async function sealedDeltas(context: RepositoryContext, group: readonly Move[], stored: Buffer): Promise<readonly (MovedDelta | null)[]> {
  const [first] = group as readonly [Move];
  const packId = context.index.packs.idOf(first.packNumber);
  const moved: (MovedDelta | null)[] = [];
  for (const { id, type, flags, base, counter, offset, storedLength, rawLength } of group) {
    const copies = type === CHUNK_TYPES.delta ? await context.index.find(id) : [];
    const baseId = copies.find((copy) => copy.packId === packId && copy.base === base)?.baseId ?? null;
    const packKey = baseId === null ? null : await packKeyOf(context, packId).catch(orNull);
    // A copy: the bytes of the group change hands when the others are opened.
    const bytes = Buffer.from(stored.subarray(offset - first.offset, offset - first.offset + storedLength));
    moved.push(baseId === null || packKey === null ? null : { id, baseId, flags, rawLength, stored: bytes, from: { packKey, packId: Buffer.from(packId, 'hex'), counter } });
  }
  return moved;
}

/** Raw bytes of each full chunk, or the fault of this copy; null for deltas. */
async function openGroup(context: RepositoryContext, group: readonly Move[], stored: Buffer | LeafvaultError): Promise<readonly (Buffer | LeafvaultError | null)[]> {
  if (stored instanceof LeafvaultError) return group.map(() => stored);
  const full = group.filter(({ type }) => type !== CHUNK_TYPES.delta);
  if (full.length === 0) return group.map(() => null);
  const [first] = group as readonly [Move];
  const packId = context.index.packs.idOf(first.packNumber);
  const chunks = full.map((move) => ({ ...move, packId, named: true, base: NO_BASE, baseId: null }));
  const opened = await openStored(context, { packId, offset: first.offset, length: stored.length, chunks }, stored).catch((error: unknown) => {
    if (!isReadFault(error)) throw error;
    return full.map(() => error);
  });
  return group.map((move) => opened[full.indexOf(move)] ?? null);
}

function orNull(error: unknown): null {
  if (!isReadFault(error)) throw error;
  return null;
}

function isReadFault(error: unknown): error is LeafvaultError {
  return isLeafvaultError(error, 'REPOSITORY_CHUNK_DAMAGED') || isLeafvaultError(error, 'REPOSITORY_CHUNK_MISSING') || isLeafvaultError(error, 'REPOSITORY_CHUNK_UNSUPPORTED');
}

/** What is read at once and opened at once; dead chunks in between are read, too: a second call would cost more. */
async function* inGroups(moves: AsyncIterable<Move>): AsyncGenerator<Move[]> {
  let group: Move[] = [];
  let rawBytes = 0;
  for await (const move of moves) {
    const [first] = group;
    if (first !== undefined && !(joins(first, move) && group.length < GROUP_CHUNKS && rawBytes + move.rawLength <= GROUP_BYTES)) {
      yield group;
      [group, rawBytes] = [[], 0];
    }
    group.push(move);
    rawBytes += move.rawLength;
  }
  if (group.length > 0) yield group;
}

function joins(first: Move, move: Move): boolean {
  return first.packNumber === move.packNumber && move.offset + move.storedLength - first.offset <= GROUP_BYTES;
}
