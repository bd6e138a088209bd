// Marks what live deltas rest on: live ids, index and bases are walked side by side (docs/design/deltas.md, "The closure").
import { createSortedRuns, type SortedRuns } from '../chunk-index/sorted-runs.ts';
import type { ChunkIndex } from '../chunk-index/chunk-index.ts';
import { basesOfCopy, keptCopy, withKept, type CopyRules } from './kept-copy.ts';
import { visitChunks } from './live-chunks.ts';
import { createLiveSet } from './mark-live.ts';

export interface MarkBasesOptions extends CopyRules {
  readonly index: ChunkIndex;
  /** Ids that snapshots name; grows by the bases. */
  readonly live: SortedRuns;
  readonly tempDir: string;
  readonly signal: AbortSignal | undefined;
}

/** A base is full, so one walk is enough; of one whose full copies are lost a delta may be left, and that one's base is marked, too. No reader goes further. */
const WALKS = 3;

/** @returns how many marks were set; a base that several deltas rest on counts for each */
export async function markBases({ index, live, tempDir, signal, ...rules }: MarkBasesOptions): Promise<number> {
  const walked: SortedRuns[] = [];
  let marked = 0;
  try {
    for (let walk = 1; walk <= WALKS; walk += 1) {
      const from = walked.at(-1) ?? live;
      const found = createSortedRuns({ tempDir });
      walked.push(found);
      const marks = await findBases({ index, from, found, signal, rules: { index, ...rules } });
      for await (const piece of found.pieces()) await live.add(Buffer.from(piece));
      if (from !== live) await from.close();
      marked += marks;
      if (marks === 0) break;
    }
    return marked;
  } finally {
    for (const found of walked) await found.close();
  }
}

interface Walk {
  readonly index: ChunkIndex;
  readonly from: SortedRuns;
  readonly found: SortedRuns;
  readonly signal: AbortSignal | undefined;
  readonly rules: CopyRules;
}

async function findBases({ index, from, found, signal, rules }: Walk): Promise<number> {
  const bases = createLiveSet(found);
  let marks = 0;
  const markAll = async (ids: readonly Buffer[]): Promise<void> => {
    for (const id of ids) await bases.mark(id);
  };
  await visitChunks(index, from, {
    withBases: true,
    live(entries, at, to, _id, records) {
      if (records.length === 0) return undefined;
      // Which of equal copies is kept does not matter: they rest on the same base.
      return withKept(keptCopy(rules, { entries, from: at, to }, () => true), (kept) => {
        const ids = kept === null ? [] : basesOfCopy(entries, kept, records);
        marks += ids.length;
        return ids.length === 0 ? undefined : markAll(ids);
      });
    },
  }, signal);
  await bases.flush();
  return marks;
}
