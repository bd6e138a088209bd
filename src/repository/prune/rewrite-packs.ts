// Puts the live chunks of packs that are to go into new ones, as a writer does, and names them in an index.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { ChunkIndex } from '../chunk-index/chunk-index.ts';
import type { RepositoryContext } from '../context.ts';
import { FLAG_PAGE, type ChunkEntry } from '../format/chunk-entry.ts';
import type { ChunkLoader } from '../read/load-chunk.ts';
import { openRange } from '../read/load-chunk.ts';
import { readPackDirectory } from '../read/pack-directory.ts';
import { createChunkIntake } from '../write/chunk-intake.ts';
import { createPackLine } from '../write/pack-line.ts';
import type { WeighedPack } from './choose-packs.ts';

export interface RewriteOptions {
  readonly context: RepositoryContext;
  readonly loader: ChunkLoader;
  readonly live: ChunkIndex;
  /** Packs whose copies do not count: all that go. */
  readonly doomed: ReadonlySet<string>;
  readonly packBytes: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onIndexStored: (name: string) => void;
  readonly onPack: (writtenBytes: number) => void;
}

export interface Rewritten {
  readonly writtenBytes: number;
  /** They stay: a live chunk of them can't be read. */
  readonly damaged: readonly string[];
}

const GROUP_BYTES = 4 * 1024 * 1024;

export async function rewritePacks(options: RewriteOptions, packs: readonly WeighedPack[]): Promise<Rewritten> {
  const { context, signal, packBytes, onIndexStored, doomed } = options;
  if (packs.length === 0) return { writtenBytes: 0, damaged: [] };
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
  const intake = createChunkIntake(context, line, doomed);
  const damaged: string[] = [];
  try {
    for (const pack of packs) {
      throwIfAborted(signal);
      if (!(await rewritePack(options, pack, (raw, isPage) => intake.put(raw, 0, isPage)))) damaged.push(pack.id);
      options.onPack(writtenBytes);
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

type Put = (raw: Buffer, isPage: boolean) => Promise<unknown>;

/** False where a chunk can't be read, from this pack or another. */
async function rewritePack(options: RewriteOptions, { id: packId, sizeBytes }: WeighedPack, put: Put): Promise<boolean> {
  const { context, loader } = options;
  try {
    const { entries } = await readPackDirectory(context, packId, sizeBytes);
    for (const group of inGroups(await liveOnes(options, entries))) {
      const offset = group[0]?.offset ?? 0;
      const last = group.at(-1) as ChunkEntry;
      const chunks = group.map((chunk) => ({ ...chunk, packId, named: true }));
      const opened = await openRange(context, { packId, offset, length: last.offset + last.storedLength - offset, chunks });
      await Promise.all(opened.map(async (raw, i) => {
        const { id, flags } = chunks[i] as ChunkEntry;
        await put(Buffer.isBuffer(raw) ? raw : await loader.load(id), (flags & FLAG_PAGE) !== 0);
      }));
    }
    return true;
  } catch (error) {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    context.log.warn({ pack: packId, reason: error.message }, 'a pack can not be rewritten, and stays');
    return false;
  }
}

/** The chunks that are needed and have no copy in a pack that stays. */
async function liveOnes({ context, live, doomed }: RewriteOptions, entries: readonly ChunkEntry[]): Promise<ChunkEntry[]> {
  const needed: ChunkEntry[] = [];
  for (const entry of entries) {
    if ((await live.find(entry.id)).length === 0) continue;
    const copies = await context.index.find(entry.id);
    if (!copies.some(({ packId }) => !doomed.has(packId))) needed.push(entry);
  }
  return needed;
}

/** Neighbours that are read and opened at once. */
function* inGroups(entries: readonly ChunkEntry[]): Generator<ChunkEntry[]> {
  let group: ChunkEntry[] = [];
  let rawBytes = 0;
  for (const entry of entries) {
    const previous = group.at(-1);
    const joins = previous !== undefined && previous.offset + previous.storedLength === entry.offset;
    if (group.length > 0 && (!joins || rawBytes + entry.rawLength > GROUP_BYTES)) {
      yield group;
      [group, rawBytes] = [[], 0];
    }
    group.push(entry);
    rawBytes += entry.rawLength;
  }
  if (group.length > 0) yield group;
}
