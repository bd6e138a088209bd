// Puts live chunks of packs that go into new ones, as a writer does, and names those in an index.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import { releaseMemory } from '../../foundation/release-memory.ts';
import type { RepositoryContext } from '../context.ts';
import { FLAG_PAGE, NO_BASE } from '../format/chunk-entry.ts';
import type { ChunkLoader } from '../read/load-chunk.ts';
import { openRange } from '../read/open-range.ts';
import { createChunkIntake } from '../write/chunk-intake.ts';
import { createPackLine } from '../write/pack-line.ts';
import type { Move } from './find-moves.ts';

export interface RewriteOptions {
  readonly context: RepositoryContext;
  readonly loader: ChunkLoader;
  readonly packBytes: number | undefined;
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
  const intake = createChunkIntake(context, line, 'all');
  const damaged = new Set<string>();
  try {
    for await (const group of inGroups(moves)) {
      throwIfAborted(signal);
      await rewriteGroup(options, group, { damaged, put: (raw, isPage) => intake.put(raw, 0, isPage) });
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

interface Target { readonly damaged: Set<string>; put(raw: Buffer, isPage: boolean): Promise<unknown> }

async function rewriteGroup({ context, loader }: RewriteOptions, group: readonly Move[], { damaged, put }: Target): Promise<void> {
  const opened = await openGroup(context, group);
  await Promise.all(group.map(async ({ id, flags }, i) => {
    const raw = opened[i];
    try {
      await put(Buffer.isBuffer(raw) ? raw : await loader.load(id), (flags & FLAG_PAGE) !== 0);
    } catch (error) {
      if (!isReadFault(error)) throw error;
      context.log.warn({ chunk: id.toString('hex'), reason: error.message }, 'a chunk can not be read; the packs that hold it stay');
      for (const { packId } of await context.index.find(id)) damaged.add(packId);
    }
  }));
  const sound = opened.find((raw) => Buffer.isBuffer(raw));
  if (sound !== undefined) releaseMemory(new Uint8Array(sound.buffer));
}

/** Raw bytes of each, or the fault of this copy. */
async function openGroup(context: RepositoryContext, group: readonly Move[]): Promise<readonly (Buffer | LeafvaultError)[]> {
  const [first, last] = [group[0] as Move, group.at(-1) as Move];
  const packId = context.index.packs.idOf(first.packNumber);
  try {
    return await openRange(context, {
      packId, offset: first.offset, length: last.offset + last.storedLength - first.offset, chunks: group.map((move) => ({ ...move, packId, named: true, base: NO_BASE, baseId: null })),
    });
  } catch (error) {
    if (!isReadFault(error)) throw error;
    return group.map(() => error);
  }
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
