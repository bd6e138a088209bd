// Kept oplog goes when no base needs it any more: what lies before the oldest snapshot of a cluster that is still there.
import { positionOf, type ClusterTime } from '../domain/cluster-time.ts';
import type { SnapshotBody } from '../engine/contracts.ts';
import { isDamage } from '../repository/index.ts';
import type { ChainEnd, Repository } from '../repository/repository.ts';
import { endIfNobodys, type ChainRows } from './tailers/recover-chains.ts';

export interface TrimmedChain {
  readonly chainId: string;
  /** Slices that went. */
  readonly slices: number;
  readonly storedBytes: number;
}

export interface TrimOptions {
  readonly now: Date;
  /** Of the catalog: with them chains without slices that it does not know end, where it knows another one that goes on. */
  readonly rows?: Pick<ChainRows, 'get' | 'openOf'>;
  readonly signal?: AbortSignal;
}

/** A restore to an instant reads from where its base began to be captured; more is kept so that nobody has to trust a second. */
const MARGIN_SECONDS = 3_600;
/** A snapshot whose instant lies in a chain that ended may still be settling: far longer than that takes. */
const WITHOUT_BASE_MS = 7 * 24 * 3_600_000;

/**
 * A chain that goes on without any base keeps everything, and one that ended does for a week: the first one may be on its way. Of a cluster one
 * snapshot is captured at a time, so none that is on its way began before those that are there.
 * @throws what listing the snapshots throws: then nothing is taken
 */
export async function trimChains(repository: Repository, { now, rows, signal }: TrimOptions): Promise<readonly TrimmedChain[]> {
  const oldest = await oldestBases(repository);
  const trimmed: TrimmedChain[] = [];
  for await (const { head, end } of repository.chains.list()) {
    signal?.throwIfAborted();
    if (end === null && rows !== undefined) await endIfNobodys(repository, head, rows);
    const base = oldest.get(head.series);
    const before = base === undefined ? endLongAgo(end, now) : positionOf({ t: Math.max(0, base.t - MARGIN_SECONDS), i: 0 });
    if (before === null) continue;
    const gone = await repository.chains.trim(head.id, { before, signal });
    if (gone.slices > 0) trimmed.push({ chainId: head.id, ...gone });
  }
  return trimmed;
}

/** The position where it ended; null while it goes on, or may get its first base. */
function endLongAgo(end: ChainEnd | null, now: Date): string | null {
  return end !== null && now.getTime() - Date.parse(end.createdAt) > WITHOUT_BASE_MS ? end.at : null;
}

/** When the oldest of each series began to be captured. */
async function oldestBases(repository: Repository): Promise<ReadonlyMap<string, ClusterTime>> {
  const oldest = new Map<string, ClusterTime>();
  // Of a fact that can't be read the snapshot counts as there: more is kept. Of a root that can't be read nobody knows what it needs.
  const onUnreadable = (object: string, error: unknown): void => {
    if (!object.startsWith('facts/') || !isDamage(error)) throw error;
  };
  for await (const { series, body } of repository.listSnapshots({ onUnreadable })) {
    const { beganAt = null } = body as unknown as Partial<Pick<SnapshotBody, 'beganAt'>>;
    const known = oldest.get(series);
    if (beganAt !== null && (known === undefined || positionOf(beganAt) < positionOf(known))) oldest.set(series, beganAt);
  }
  return oldest;
}
