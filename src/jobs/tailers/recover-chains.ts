// Rows of chains from what the store holds: after a crash between the two, and for a catalog that was lost.
import type { Catalog, CatalogTransaction, Chain } from '../../catalog/index.ts';
import { positionOf, timeOfPosition } from '../../domain/cluster-time.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { ChainEnd, ChainHead, Repository, Slice } from '../../repository/repository.ts';

/** A chain that nobody can go on with: something of it is gone or damaged. Stands in the catalog alone. */
export const CHAIN_BROKEN = 'CHAIN_BROKEN';
const NEWER = 'A newer chain of the cluster goes on';

/** Runs `work` in a transaction that is fenced by the claim. */
export type Fence = <T>(work: (tx: CatalogTransaction) => Promise<T>) => Promise<T>;

/** What the catalog says of chains. */
export type ChainRows = Pick<Catalog['chains'], 'get' | 'openOf' | 'windows'>;

/**
 * Makes rows of the chains of this cluster that the catalog knows nothing of, or thinks to be open.
 * Only the newest of all may be gone on with; what is older and goes on in the store is ended there. One that ended without a slice and without
 * a row holds nothing: it gets none.
 * @throws what store and catalog fail with; parts that are gone or damaged end up in the row of their chain
 */
export async function recoverChains(repository: Repository, clusterId: string, { rows, fence }: { readonly rows: ChainRows; readonly fence: Fence }): Promise<void> {
  const stored: { readonly head: ChainHead; readonly end: ChainEnd | null }[] = [];
  try {
    for await (const chain of repository.chains.list(clusterId)) stored.push(chain);
  } catch (error) {
    // Thrown behind all that could be read: nobody can go on with a chain whose head or end is damaged.
    if (!isLeafvaultError(error, 'REPOSITORY_CHAIN_BROKEN')) throw error;
  }
  // Rows, too: the store may have lost the head of one that came later.
  const known = (await rows.windows(clusterId)).map(({ id, from, createdAt }) => ({ id, from: positionOf(from), createdAt: createdAt.toISOString() }));
  const newest = [...stored.map(({ head }) => head), ...known].sort(byBegin).at(-1);
  for (const { head, end } of stored.sort((a, b) => byBegin(a.head, b.head))) {
    const before = await rows.get(head.id);
    if (before !== null && before.end !== null) continue;
    const row = end === null && head.id !== newest?.id ? await endLeftOver(repository, head) : await rowOf(repository, head, end);
    if (before !== null || row.end === null || row.slices > 0) await fence((tx) => tx.chains.save(row));
  }
}

function byBegin(a: Pick<ChainHead, 'id' | 'from' | 'createdAt'>, b: Pick<ChainHead, 'id' | 'from' | 'createdAt'>): number {
  const [left, right] = [a, b].map(({ id, from, createdAt }) => `${from} ${createdAt} ${id}`) as [string, string];
  return left < right ? -1 : Number(left > right);
}

/** Ends a chain that may not go on, as a newer one was begun. @returns its row @throws what the store fails with: then nobody may go on with it either */
export async function endLeftOver(repository: Pick<Repository, 'chains'>, head: ChainHead): Promise<Chain> {
  const end = await endInStore(repository, head);
  const row = await rowOf(repository, head, end);
  return row.end === null ? { ...row, end: { reason: CHAIN_BROKEN, message: 'It could not be ended in the store', at: row.newestSliceAt ?? row.createdAt } } : row;
}

/** null where nobody can go on with it anyway. */
async function endInStore({ chains }: Pick<Repository, 'chains'>, { id, series }: ChainHead): Promise<ChainEnd | null> {
  try {
    const writer = await chains.resume(id);
    return await writer.end({ reason: 'STOPPED', body: { message: NEWER } });
  } catch (error) {
    if (isBroken(error)) return null;
    if (!isLeafvaultError(error, 'REPOSITORY_CHAIN_ENDED')) throw error;
    for await (const { head, end } of chains.list(series)) if (head.id === id) return end;
    return null;
  }
}

/**
 * Ends a chain that came to light when another one of its cluster was at work already: its writer died at its head, and the store carried that out late.
 * It has no slice, and nobody has to fear for a chain of his own: who begins one knows no open row of the cluster, and makes his own before any slice.
 * @param head seen in the store before rows are asked
 */
export async function endIfNobodys({ chains }: Pick<Repository, 'chains'>, head: ChainHead, rows: Pick<ChainRows, 'get' | 'openOf'>): Promise<void> {
  const open = await rows.openOf(head.series);
  if (open === null || open.id === head.id || (await rows.get(head.id)) !== null) return;
  try {
    const writer = await chains.resume(head.id);
    if (writer.last === null) await writer.end({ reason: 'STOPPED', body: { message: NEWER } });
  } catch (error) {
    // Broken, or ended meanwhile.
    if (!isBroken(error) && !isLeafvaultError(error, 'REPOSITORY_CHAIN_ENDED')) throw error;
  }
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
