// The rows of all chains as the store has them now, and one at most of a cluster that goes on.
import type { Chain } from '../../catalog/index.ts';
import { timeOfPosition } from '../../domain/cluster-time.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { ChainEnd, ChainHead, Repository } from '../../repository/repository.ts';
import { endLeftOver, endOf, isBroken, rowOf } from '../tailers/recover-chains.ts';

export interface FoundChains {
  /** To be saved: unknown ones, and those that went on or ended since the dump. */
  readonly changed: readonly Chain[];
  /** All that the store has. */
  readonly ids: ReadonlySet<string>;
  readonly unreadable: readonly string[];
}

/** Of a cluster the newest alone may go on; older ones are ended in the store. @param known the rows of the dump, null where it has none */
export async function findChains(repository: Pick<Repository, 'chains'>, known: (id: string) => Promise<Chain | null>): Promise<FoundChains> {
  const rows = new Map<string, { readonly row: Chain; readonly head: ChainHead; readonly before: Chain | null }>();
  const ids = new Set<string>();
  const unreadable: string[] = [];
  try {
    for await (const { head, end } of repository.chains.list()) {
      ids.add(head.id);
      const before = await known(head.id);
      // Nothing comes behind an end.
      const row = before === null ? await rowOf(repository, head, end) : before.end !== null ? before : await caughtUp(repository, before, head, end);
      rows.set(head.id, { row, head, before });
    }
  } catch (error) {
    if (!isLeafvaultError(error, 'REPOSITORY_CHAIN_BROKEN') && !isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED')) throw error;
    unreadable.push(error.message);
  }
  const newest = new Map([...rows.values()].map(({ row }) => row).sort(byFrom).map((row) => [row.clusterId, row.id]));
  for (const { row, head, before } of [...rows.values()]) {
    if (row.end === null && newest.get(row.clusterId) !== row.id) rows.set(row.id, { row: { ...row, end: (await endLeftOver(repository, head)).end }, head, before });
  }
  const news = [...rows.values()].filter(({ row, before }) => row !== before && (before !== null || row.end === null || row.slices > 0));
  return { changed: news.map(({ row }) => row), ids, unreadable };
}

function byFrom(a: Chain, b: Chain): number {
  return a.from.t - b.from.t || a.from.i - b.from.i || a.createdAt.getTime() - b.createdAt.getTime();
}

/** What the store holds behind the slices that the row knows; the row itself where there is nothing new. */
async function caughtUp(repository: Pick<Repository, 'chains'>, row: Chain, head: ChainHead, end: ChainEnd | null): Promise<Chain> {
  let grown = row;
  try {
    for await (const slice of repository.chains.slices(row.id, { after: row.slices })) {
      grown = {
        ...grown, slices: slice.sequence, to: timeOfPosition(slice.to), records: grown.records + slice.records, rawBytes: grown.rawBytes + slice.rawBytes,
        storedBytes: grown.storedBytes + slice.storedBytes, newestSliceAt: new Date(slice.createdAt),
      };
    }
  } catch (error) {
    if (!isBroken(error)) throw error;
    // Perhaps only what the row remembers is no longer there: the store is asked for all of it.
    return rowOf(repository, head, end);
  }
  return end === null ? grown : { ...grown, end: endOf(end) };
}
