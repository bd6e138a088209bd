// Rows of chains from what the store holds: after a crash between the two, and for a catalog that was lost.
import type { CatalogTransaction, Chain } from '../../catalog/index.ts';
import { timeOfPosition } from '../../domain/cluster-time.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { ChainEnd, ChainHead, Repository, Slice } from '../../repository/repository.ts';

/** A chain that nobody can go on with: something of it is gone or damaged. Stands in the catalog alone. */
export const CHAIN_BROKEN = 'CHAIN_BROKEN';

/** Runs `work` in a transaction that is fenced by the claim. */
export type Fence = <T>(work: (tx: CatalogTransaction) => Promise<T>) => Promise<T>;

/**
 * Makes rows of the chains of this cluster that the catalog knows nothing of, or thinks to be open.
 * Of several that go on in the store the newest is kept, the others are ended there.
 * @throws what store and catalog fail with; parts that are gone or damaged end up in the row of their chain
 */
export async function recoverChains(
  repository: Repository, clusterId: string, { find, fence }: { readonly find: (id: string) => Promise<Chain | null>; readonly fence: Fence },
): Promise<void> {
  const unknown: { readonly head: ChainHead; readonly end: ChainEnd | null }[] = [];
  try {
    for await (const chain of repository.chains.list(clusterId)) if (((await find(chain.head.id))?.end ?? null) === null) unknown.push(chain);
  } catch (error) {
    // Thrown behind all that could be read: nobody can go on with a chain whose head or end is damaged.
    if (!isLeafvaultError(error, 'REPOSITORY_CHAIN_BROKEN')) throw error;
  }
  unknown.sort((a, b) => (a.head.from < b.head.from ? -1 : 1));
  const newest = unknown.findLast(({ end }) => end === null);
  for (const chain of unknown) {
    const end = chain.end ?? (chain === newest ? null : await endLeftOver(repository, chain.head.id));
    const row = await rowOf(repository, chain.head, end);
    await fence((tx) => tx.chains.save(row));
  }
}

async function endLeftOver(repository: Repository, id: string): Promise<ChainEnd | null> {
  return repository.chains.resume(id).then((writer) => writer.end({ reason: 'STOPPED', body: { message: 'A newer chain of the cluster goes on' } }), () => null);
}

/** As the store has it, every slice verified; what lies behind a broken place does not count. */
export async function rowOf(repository: Pick<Repository, 'chains'>, head: ChainHead, end: ChainEnd | null): Promise<Chain> {
  const sums = { slices: 0, records: 0, rawBytes: 0, storedBytes: 0, from: head.from, to: head.from, newestSliceAt: null as Date | null };
  let broken: string | null = null;
  try {
    for await (const slice of repository.chains.slices(head.id)) addUp(sums, slice);
  } catch (error) {
    if (!isBroken(error)) throw error;
    broken = describeError(error);
  }
  return {
    ...sums, id: head.id, clusterId: head.series, replicaSetId: replicaSetIdOf(head), from: timeOfPosition(sums.from), to: timeOfPosition(sums.to),
    createdAt: new Date(head.createdAt), end: end !== null ? endOf(end) : broken === null ? null : { reason: CHAIN_BROKEN, message: broken, at: sums.newestSliceAt ?? new Date(head.createdAt) },
  };
}

function addUp(sums: { slices: number; records: number; rawBytes: number; storedBytes: number; from: string; to: string; newestSliceAt: Date | null }, slice: Slice): void {
  // The front may have been pruned: numbers count on from there.
  if (sums.slices === 0) sums.from = slice.from;
  sums.slices = slice.sequence;
  sums.records += slice.records;
  sums.rawBytes += slice.rawBytes;
  sums.storedBytes += slice.storedBytes;
  sums.to = slice.to;
  sums.newestSliceAt = new Date(slice.createdAt);
}

/** Nothing can be added to the chain any more. */
export function isBroken(error: unknown): boolean {
  return isLeafvaultError(error, 'REPOSITORY_CHAIN_BROKEN') || isLeafvaultError(error, 'REPOSITORY_CHAIN_MISSING');
}

export function replicaSetIdOf({ body }: ChainHead): string | null {
  return typeof body['replicaSetId'] === 'string' ? body['replicaSetId'] : null;
}

export function endOf({ reason, createdAt, body }: ChainEnd): NonNullable<Chain['end']> {
  return { reason, message: typeof body['message'] === 'string' ? body['message'] : null, at: new Date(createdAt) };
}
