// Which chunks snapshots need: every page and every chunk below their roots, as a sorted set in a local folder.
import { throwIfAborted } from '../../foundation/abort.ts';
import type { CleanPages, PageSums } from '../check/clean-pages.ts';
import { sortEntries } from '../chunk-index/sort-entries.ts';
import type { SortedRuns } from '../chunk-index/sorted-runs.ts';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import { readEntryRecords } from '../format/entry-record.ts';
import { readPage } from '../format/list-page.ts';
import type { ChunkLoader } from '../read/load-chunk.ts';
import { walkList } from '../read/walk-list.ts';
import type { ChunkList, SnapshotRoot } from '../repository.ts';

export interface Marking {
  readonly loader: Pick<ChunkLoader, 'load'>;
  /** Pages below which everything was marked before. */
  readonly walked: CleanPages;
  readonly signal: AbortSignal | undefined;
  mark(id: Buffer): Promise<void> | void;
}

const BATCH_ENTRIES = 65_536;

/** Gathers ids, in records that hold nothing else; `flush` before they are read. */
export function createLiveSet(live: SortedRuns): { mark(id: Buffer): Promise<void> | void; flush(): Promise<void> } {
  const batch = Buffer.alloc(BATCH_ENTRIES * CHUNK_ENTRY_BYTES);
  let filled = 0;
  const flush = async (): Promise<void> => {
    const entries = sortEntries(batch.subarray(0, filled));
    filled = 0;
    await live.add(entries);
  };
  return {
    flush,
    mark(id) {
      filled += id.copy(batch, filled, 0, 32) + CHUNK_ENTRY_BYTES - 32;
      return filled === batch.length ? flush() : undefined;
    },
  };
}

/** @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED, REPOSITORY_OBJECT_DAMAGED */
export async function markSnapshot(marking: Marking, root: SnapshotRoot): Promise<void> {
  await markList(marking, root.entries);
  for await (const { id } of walkList(marking.loader, root.entries)) {
    for (const { lists } of readEntryRecords(`entry chunk ${id.toString('hex')}`, await marking.loader.load(id))) {
      for (const list of Object.values(lists)) await markList(marking, list);
    }
  }
}

async function markList(marking: Marking, list: ChunkList): Promise<void> {
  if (list.root !== null) await markPage(marking, Buffer.from(list.root, 'hex'), list.height, list);
}

async function markPage(marking: Marking, id: Buffer, height: number, sums: PageSums): Promise<void> {
  throwIfAborted(marking.signal);
  if (marking.walked.has(id, height, sums)) return;
  await marking.mark(id);
  const page = readPage(id, await marking.loader.load(id), height);
  if ('refs' in page) for (const ref of page.refs) await marking.mark(ref.id);
  else for (const child of page.pages) await markPage(marking, child.id, height - 1, child);
  marking.walked.add(id, height, sums);
}
