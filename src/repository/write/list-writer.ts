// Builds the tree of pages of a chunk list, bottom up, with one open page for each level in memory.
import { endsPage, writeBranchPage, writeLeafPage, type PageRef } from '../format/list-page.ts';
import type { ChunkList, ChunkListWriter, ChunkRef } from '../repository.ts';

type PutPage = (page: Buffer) => Promise<ChunkRef>;

interface Level {
  items: PageRef[];
  /** True when items of this level went into a page before: then its pages are more than one. */
  overflowed: boolean;
}

export function createListWriter(putPage: PutPage): ChunkListWriter {
  let refs: ChunkRef[] = [];
  const levels: Level[] = [];
  const total = { chunks: 0, records: 0, rawBytes: 0 };
  // One page at a time: pages land in order, and callers wait as long as storing takes.
  let storing: Promise<void> = Promise.resolve();

  const endLeaf = async (page: readonly ChunkRef[]): Promise<void> => {
    const sums = page.reduce((sum, ref) => ({ records: sum.records + ref.records, rawBytes: sum.rawBytes + ref.rawBytes }), { records: 0, rawBytes: 0 });
    const stored = await putPage(writeLeafPage(page));
    await climb(0, { id: stored.id, pageBytes: stored.rawBytes, chunks: page.length, ...sums });
  };

  /** Adds a stored page to the level above it; `level` 0 is the one above the leaves. */
  const climb = async (level: number, child: PageRef): Promise<void> => {
    const own = (levels[level] ??= { items: [], overflowed: false });
    own.items.push(child);
    if (endsPage(own.items.length, child.id)) await endBranch(level, own);
  };

  const endBranch = async (level: number, own: Level): Promise<void> => {
    const pages = own.items;
    own.items = [];
    own.overflowed = true;
    const stored = await putPage(writeBranchPage(level + 1, pages));
    await climb(level + 1, { id: stored.id, pageBytes: stored.rawBytes, ...sumOf(pages) });
  };

  return {
    async append(ref) {
      refs.push(ref);
      total.chunks += 1;
      total.records += ref.records;
      total.rawBytes += ref.rawBytes;
      if (!endsPage(refs.length, ref.id)) return;
      const page = refs;
      refs = [];
      storing = storing.then(() => endLeaf(page));
      storing.catch(() => undefined);
      await storing;
    },
    async finish() {
      await storing;
      if (total.chunks === 0) return { root: null, height: 0, ...total };
      if (refs.length > 0) await endLeaf(refs);
      refs = [];
      return { ...(await top()), ...total };
    },
  };

  async function top(): Promise<Pick<ChunkList, 'root' | 'height'>> {
    for (let level = 0; ; level += 1) {
      const own = levels[level] ?? { items: [], overflowed: false };
      // A single page of this height in all: that is the top.
      if (own.items.length === 1 && !own.overflowed) {
        return { root: (own.items[0] as PageRef).id.toString('hex'), height: level };
      }
      if (own.items.length > 0) await endBranch(level, own);
    }
  }
}

function sumOf(pages: readonly PageRef[]): Pick<PageRef, 'chunks' | 'records' | 'rawBytes'> {
  return pages.reduce(
    (sum, page) => ({ chunks: sum.chunks + page.chunks, records: sum.records + page.records, rawBytes: sum.rawBytes + page.rawBytes }),
    { chunks: 0, records: 0, rawBytes: 0 },
  );
}
