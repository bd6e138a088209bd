// The time line of a cluster: over its chains, oldest first, what happened and to which instant one would restore.
import type { CatalogAggregates, ChainWindow } from '../catalog/index.ts';
import { compareClusterTimes, type ClusterTime } from '../domain/cluster-time.ts';
import { holds } from '../domain/instant.ts';
import type { Cluster } from '../domain/records.ts';
import { MASS_COUNT, type Mark, type MinuteCount, type OperationFilter, type OperationPage, type OperationView, type TimelinePart, type TimelineRange } from '../domain/timeline.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { catchUp } from './catch-up.ts';
import type { Restorable, Timeline, TimelineQuery } from './contracts.ts';

/** A chain to read; what reads it is handed in by the composition root. */
export interface TimelineChain {
  readonly projectId: string;
  readonly chainId: string;
  readonly slices: number;
}

export interface TimelineReader {
  read(chain: TimelineChain, query: TimelineRange & { readonly namespace?: string | undefined; readonly threshold: number }): Promise<TimelinePart>;
  find(chain: TimelineChain, query: TimelineRange & {
    readonly filter: OperationFilter; readonly after: OperationPage['next']; readonly limit: number; readonly bytesShown: number;
  }): Promise<OperationPage>;
}

export interface TimelineOptions {
  readonly catalog: Pick<CatalogAggregates, 'chains' | 'tailers'>;
  readonly reader: TimelineReader;
  readonly clock: Clock;
}

/** What is read when nobody says from when. */
const DEFAULT_SECONDS = 3600;
/** A slice as old as this is new enough. */
const FRESH_MS = 15_000;
const REFRESH_MS = 5_000;

export function createTimeline({ catalog, reader, clock }: TimelineOptions): Timeline {
  /** Whoever asks for the newest wants to see what happened a moment ago. */
  const refresh = async (cluster: Cluster): Promise<void> => {
    const newest = async (): Promise<number> => (await catalog.chains.openOf(cluster.id))?.newestSliceAt?.getTime() ?? 0;
    const before = await newest();
    if (clock.now().getTime() - before > FRESH_MS) await catchUp(catalog, cluster.id, async () => (await newest()) !== before, REFRESH_MS);
  };
  const open = async (cluster: Cluster, query: TimelineQuery) => {
    if (query.to === null) await refresh(cluster);
    const chains = (await catalog.chains.windows(cluster.id)).filter(({ slices }) => slices > 0);
    const newest = chains.map(({ to }) => to).sort(compareClusterTimes).at(-1);
    if (newest === undefined) throw nothingKept(cluster);
    const to = query.to ?? newest;
    const from = query.from ?? { t: Math.max(0, to.t - DEFAULT_SECONDS), i: 0 };
    if (compareClusterTimes(from, to) > 0) throw new LeafvaultError('RANGE_INVALID', `Reading the time line of ${cluster.name} failed: it would end before it begins`, { details: { from, to }, hint: 'Give from before to' });
    const within = chains.filter((chain) => compareClusterTimes(chain.from, to) < 0 && compareClusterTimes(chain.to, from) >= 0);
    return { from, to, chains: within };
  };
  return {
    async read(cluster, query) {
      const { from, to, chains } = await open(cluster, query);
      const counts = new Map<string, MinuteCount>();
      const marks: (Mark & Restorable)[] = [];
      let partialTransactions = 0;
      let readTo: ClusterTime | null = null;
      for (const chain of chains) {
        const part = await reader.read(placeOf(cluster, chain), { from, to, threshold: query.threshold ?? MASS_COUNT, ...(query.namespace === undefined ? {} : { namespace: query.namespace }) });
        for (const each of part.counts) addCount(counts, each);
        marks.push(...part.marks.map((mark) => ({ ...mark, ...restorableAt(chain, mark.justBefore) })));
        partialTransactions += part.partial;
        readTo = part.readTo;
        if (readTo !== null) break;
      }
      return { from, to, counts: [...counts.values()], marks, partialTransactions, continueFrom: readTo === null ? null : { t: readTo.t, i: readTo.i + 1 } };
    },
    async find(cluster, query) {
      const { from, to, chains } = await open(cluster, query);
      const operations: (OperationView & Restorable)[] = [];
      let next: OperationPage['next'] = null;
      for (const chain of chains) {
        if (query.after !== null && compareClusterTimes(chain.to, query.after.position) < 0) continue;
        const limit = query.limit - operations.length;
        const page = await reader.find(placeOf(cluster, chain), { from, to, filter: query.filter, after: query.after, limit, bytesShown: query.bytesShown });
        operations.push(...page.operations.map((operation) => ({ ...operation, ...restorableAt(chain, operation.justBefore) })));
        next = page.next;
        if (next !== null) break;
        if (operations.length === query.limit) {
          const last = operations[operations.length - 1];
          next = chain === chains.at(-1) || last === undefined ? null : { position: last.position, number: last.number };
          break;
        }
      }
      return { operations, next };
    },
  };
}

function placeOf({ projectId }: Cluster, { id, slices }: ChainWindow): TimelineChain {
  return { projectId, chainId: id, slices };
}

/** Two chains may share a minute. */
function addCount(counts: Map<string, MinuteCount>, each: MinuteCount): void {
  const key = `${each.minute} ${each.namespace}`;
  const known = counts.get(key);
  counts.set(key, known === undefined ? each : {
    ...each, insert: known.insert + each.insert, update: known.update + each.update, delete: known.delete + each.delete, command: known.command + each.command, bytes: known.bytes + each.bytes,
  });
}

function restorableAt({ base, to }: ChainWindow, justBefore: ClusterTime): Restorable {
  if (base === null) return { restorable: false, reason: 'this stretch of continuous backup has no base snapshot' };
  if (holds({ from: base, to }, justBefore)) return { restorable: true, reason: null };
  return { restorable: false, reason: 'it lies before the first base snapshot of this stretch of continuous backup' };
}

function nothingKept({ name, continuousBackup }: Cluster): LeafvaultError {
  return new LeafvaultError('TIMELINE_EMPTY', `Reading the time line of ${name} failed: no oplog of it is kept`, {
    details: { name },
    hint: continuousBackup ? 'Wait for the first slice, a minute after continuous backup began' : 'Set continuousBackup: true for the cluster',
  });
}
