// The rows of all chains as the store has them now, and one at most of a cluster that goes on.
import type { Chain } from '../../catalog/index.ts';
import { timeOfPosition } from '../../domain/cluster-time.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { ChainEnd, ChainHead, Repository } from '../../repository/repository.ts';
import { CHAIN_BROKEN, endOf, isBroken, rowOf } from '../tailers/recover-chains.ts';

export interface FoundChains {
  /** To be saved: unknown ones, and those that went on or ended since the dump. */
  readonly changed: readonly Chain[];
  /** All that the store has. */
  readonly ids: ReadonlySet<string>;
  readonly unreadable: readonly string[];
}

/** Ends in the store what can't go on beside a newer one. @param known the rows of the dump, null where it has none */
export async function findChains(repository: Pick<Repository, 'chains'>, known: (id: string) => Promise<Chain | null>): Promise<FoundChains> {
  const rows = new Map<string, { readonly row: Chain; readonly isNews: boolean }>();
  const ids = new Set<string>();
  const unreadable: string[] = [];
  try {
    for await (const { head, end } of repository.chains.list()) {
      ids.add(head.id);
      const before = await known(head.id);
      // Nothing comes behind an end.
      const row = before === null ? await rowOf(repository, head, end) : before.end !== null ? before : await caughtUp(repository, before, head, end);
      rows.set(head.id, { row, isNews: row !== before });
    }
  } catch (error) {
    if (!isLeafvaultError(error, 'REPOSITORY_CHAIN_BROKEN') && !isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED')) throw error;
    unreadable.push(error.message);
  }
  const goOn = [...rows.values()].map(({ row }) => row).filter(({ end }) => end === null).sort(byFrom);
  const newest = new Map(goOn.map((row) => [row.clusterId, row.id]));
  for (const row of goOn) {
    if (newest.get(row.clusterId) === row.id) continue;
    const end = await endInStore(repository, row.id);
    rows.set(row.id, { row: { ...row, end: end === null ? { reason: CHAIN_BROKEN, message: 'It could not be ended in the store', at: row.newestSliceAt ?? row.createdAt } : endOf(end) }, isNews: true });
  }
  return { changed: [...rows.values()].filter(({ isNews }) => isNews).map(({ row }) => row), ids, unreadable };
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

/** null where nobody can go on with it anyway. */
async function endInStore(repository: Pick<Repository, 'chains'>, id: string): Promise<ChainEnd | null> {
  try {
    const writer = await repository.chains.resume(id);
    return await writer.end({ reason: 'STOPPED', body: { message: 'A newer chain of the cluster goes on' } });
  } catch (error) {
    if (isBroken(error) || isLeafvaultError(error, 'REPOSITORY_CHAIN_ENDED')) return null;
    throw error;
  }
}
