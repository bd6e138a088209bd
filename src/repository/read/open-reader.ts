// A reader: a session that keeps pruning away, and verified chunks, pages and entries.
import { LeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { readEntryRecords } from '../format/entry-record.ts';
import type { RepositoryReader, SnapshotEntry, SnapshotRoot } from '../repository.ts';
import { openSession } from '../sessions.ts';
import { createChunkLoader, type ChunkFromCopy, type ChunkLoader } from './load-chunk.ts';
import { readAhead } from './read-ahead.ts';
import { walkList } from './walk-list.ts';

export interface ReaderOptions {
  /** Index objects that could not be read: told with a chunk that is missed. */
  readonly unreadableIndexes: ReadonlyMap<string, LeafvaultError>;
  readonly fromCopy?: ChunkFromCopy | undefined;
  /** Called once, when the reader is closed. */
  readonly onEnd: () => void;
}

export async function openReader(context: RepositoryContext, options: ReaderOptions): Promise<RepositoryReader> {
  const session = await openSession(context, 'reader');
  try {
    await context.refreshIndex();
  } catch (error) {
    await session.end();
    throw error;
  }
  let closing: Promise<void> | null = null;
  const loader = whileOpen(createChunkLoader(context, options.unreadableIndexes, options.fromCopy), () => closing === null);
  return {
    readChunk: (id) => loader.load(id),
    refs: (list) => walkList(loader, list),
    chunks: (list, chunkOptions) => readAhead(loader, list, chunkOptions?.signal),
    entries: (root) => readEntries(loader, root),
    close() {
      closing ??= session.end().then(options.onEnd);
      return closing;
    },
  };
}

async function* readEntries(loader: ChunkLoader, root: SnapshotRoot): AsyncGenerator<SnapshotEntry> {
  for await (const { ref, raw } of readAhead(loader, root.entries, undefined)) {
    yield* readEntryRecords(`entry chunk ${ref.id.toString('hex')}`, raw);
  }
}

function whileOpen(loader: ChunkLoader, isOpen: () => boolean): ChunkLoader {
  const guard = (): void => {
    if (!isOpen()) throw new LeafvaultError('REPOSITORY_READER_CLOSED', 'Reading from the repository failed: the reader was closed before');
  };
  return {
    async locate(id) {
      guard();
      return loader.locate(id);
    },
    async baseOf(delta) {
      guard();
      return loader.baseOf(delta);
    },
    async load(id) {
      guard();
      return loader.load(id);
    },
    async loadRange(range) {
      guard();
      return loader.loadRange(range);
    },
    async loadBases(chunks) {
      guard();
      return loader.loadBases(chunks);
    },
  };
}
