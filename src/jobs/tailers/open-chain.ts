// The chain that a tailer writes: begun, or gone on with from what the store holds, its row kept in step.
// Every row is written behind the fence; the store itself keeps two writers apart.
import type { Catalog, Chain, CatalogTransaction } from '../../catalog/index.ts';
import { positionOf, timeOfPosition } from '../../domain/cluster-time.ts';
import type { OplogSlice, TailPosition } from '../../engine/index.ts';
import type { Clock } from '../../foundation/clock.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { ChainWriter, Repository } from '../../repository/repository.ts';
import { CHAIN_BROKEN, endOf, isBroken, recoverChains, replicaSetIdOf, rowOf, type Fence } from './recover-chains.ts';

export interface ChainParts {
  readonly catalog: Catalog;
  readonly repository: Repository;
  readonly clock: Clock;
  readonly clusterId: string;
  readonly fence: Fence;
}

export interface OpenChain {
  readonly id: string;
  /** Where the oplog is to be followed from. */
  readonly position: TailPosition;
  /** In the store first, then its row. @throws REPOSITORY_CHAIN_TAKEN, REPOSITORY_CHAIN_ENDED, CATALOG_TAILER_LOST */
  append(slice: OplogSlice): Promise<void>;
  /** For good, in the store and in its row. @throws REPOSITORY_CHAIN_TAKEN when somebody went on with it: open it again, then end */
  end(reason: string, message: string): Promise<void>;
}

/** A new chain behind `from`. `beside` runs in the transaction of its row. */
export async function beginChain(parts: ChainParts, from: TailPosition, beside: (tx: CatalogTransaction, chainId: string) => Promise<void>): Promise<OpenChain> {
  const { repository, clusterId, fence } = parts;
  const { replicaSetId, time } = from;
  const writer = await repository.chains.begin({ series: clusterId, from: positionOf(time), body: { replicaSetId } });
  const { id, createdAt } = writer.head;
  const none = { slices: 0, records: 0, rawBytes: 0, storedBytes: 0, newestSliceAt: null, end: null };
  await fence(async (tx) => {
    await tx.chains.save({ ...none, id, clusterId, replicaSetId, from: time, to: time, createdAt: new Date(createdAt) });
    await tx.tailers.setChain(clusterId, { id, position: time });
    await beside(tx, id);
  });
  return chainOf(parts, writer);
}

/**
 * The chain of the cluster that goes on, or null: then a new one has to begin. Where the store holds more than the rows, or an
 * end of which they know nothing, the rows are brought up to it; a chain that can't be gone on with is ended in the catalog.
 */
export async function openChain(parts: ChainParts): Promise<OpenChain | null> {
  const { catalog, repository, clusterId, fence } = parts;
  const known = await catalog.chains.openOf(clusterId);
  if (known === null) await recoverChains(repository, clusterId, { rows: catalog.chains, fence });
  const row = known ?? (await catalog.chains.openOf(clusterId));
  if (row === null) return null;
  try {
    const writer = await repository.chains.resume(row.id);
    await keepInStep(parts, row, writer);
    return chainOf(parts, writer);
  } catch (error) {
    if (isBroken(error)) await closeRow(parts, row.id, { reason: CHAIN_BROKEN, message: describeError(error), at: parts.clock.now() });
    else if (isLeafvaultError(error, 'REPOSITORY_CHAIN_ENDED')) await closeRow(parts, row.id, await endInStore(parts, row.id));
    else throw error;
    return null;
  }
}

async function keepInStep({ repository, fence, clusterId }: ChainParts, row: Chain, { head, last }: ChainWriter): Promise<void> {
  const sequence = last?.sequence ?? 0;
  const position = timeOfPosition(last?.to ?? head.from);
  // A store that holds less than it did was rolled back: the row says what is there now.
  const whole = row.slices > sequence ? await rowOf(repository, head, null) : null;
  const sums = { slices: 0, records: 0, rawBytes: 0, storedBytes: 0 };
  if (row.slices < sequence) {
    for await (const slice of repository.chains.slices(row.id, { after: row.slices })) {
      sums.slices += 1;
      sums.records += slice.records;
      sums.rawBytes += slice.rawBytes;
      sums.storedBytes += slice.storedBytes;
    }
  }
  await fence(async (tx) => {
    if (whole !== null) await tx.chains.save(whole);
    else if (last !== null && sums.slices > 0) await tx.chains.grow(row.id, { ...sums, sequence, to: position, newestSliceAt: new Date(last.createdAt) });
    await tx.tailers.setChain(clusterId, { id: row.id, position });
  });
}

function chainOf(parts: ChainParts, writer: ChainWriter): OpenChain {
  const { head } = writer;
  return {
    id: head.id,
    get position() {
      const digest = writer.last?.body['lastEntry'];
      return { time: timeOfPosition(writer.last?.to ?? head.from), digest: typeof digest === 'string' ? digest : null, replicaSetId: replicaSetIdOf(head) };
    },
    async append({ to, entries, raw, digest: lastEntry }) {
      const slice = await writer.append({ to: positionOf(to), records: entries, raw, body: { lastEntry } });
      await parts.fence((tx) => tx.chains.grow(head.id, { ...slice, slices: 1, to, newestSliceAt: new Date(slice.createdAt) }));
    },
    async end(reason, message) {
      const end = await writer.end({ reason, body: { message } });
      await closeRow(parts, head.id, endOf(end));
    },
  };
}

async function closeRow({ clusterId, fence }: ChainParts, id: string, end: NonNullable<Chain['end']>): Promise<void> {
  await fence(async (tx) => {
    await tx.chains.end(id, end);
    await tx.tailers.setChain(clusterId, null);
  });
}

async function endInStore({ repository, clusterId, clock }: ChainParts, id: string): Promise<NonNullable<Chain['end']>> {
  for await (const { head, end } of repository.chains.list(clusterId)) if (head.id === id && end !== null) return endOf(end);
  return { reason: CHAIN_BROKEN, message: null, at: clock.now() };
}
