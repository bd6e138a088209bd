// Continuous backup as a user sees it: its state, which instants can be restored, and from which base.
import type { CatalogAggregates, ChainWindow } from '../catalog/index.ts';
import { compareClusterTimes, lastBefore, type ClusterTime } from '../domain/cluster-time.ts';
import { borderOf, holds, nearest, secondsOf, type Instant } from '../domain/instant.ts';
import { beginOf, showChoice, type LeaveOutRequest } from '../domain/leave-out.ts';
import type { Cluster } from '../domain/records.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { catchUp } from './catch-up.ts';
import { headroomOf, lagOf, stateOf } from './continuous-state.ts';
import type { Continuous, ContinuousGap, ContinuousWindow, RestorableInstant } from './contracts.ts';

export interface ContinuousOptions {
  readonly catalog: Pick<CatalogAggregates, 'tailers' | 'chains' | 'snapshots'>;
  readonly clock: Clock;
  /** How long an instant that is not kept yet is waited for. */
  readonly patienceMs?: number;
}

export function createContinuous({ catalog, clock, patienceMs }: ContinuousOptions): Continuous {
  const read = async (cluster: Cluster) => {
    // After each other: inside of a transaction there is one connection.
    const tailer = await catalog.tailers.get(cluster.id);
    const chains = await catalog.chains.windows(cluster.id);
    const windows = chains.flatMap(windowOf);
    const now = clock.now();
    return { tailer, chains, windows, now, state: stateOf({ cluster, tailer, now, hasBase: chains.some(({ end, base }) => end === null && base !== null) }) };
  };
  return {
    async status(cluster) {
      const { tailer, windows, now, state } = await read(cluster);
      const recoveryPoint = newestOf(windows);
      return {
        ...state, recoveryPoint, lagSeconds: lagOf(recoveryPoint, now), headroomSeconds: headroomOf(tailer), member: tailer?.member ?? null,
        windows, gaps: gapsBetween(windows),
      };
    },
    async findBase(cluster, instant, leaveOut) {
      const border = borderOf(instant);
      // The newest minute is not put away yet.
      if (isAhead(await read(cluster), instant, border)) await catchUp(catalog, cluster.id, async () => !isAhead(await read(cluster), instant, border), patienceMs);
      const { chains, windows, now, state } = await read(cluster);
      // Of two sets that had one name after the other, times may overlap: the later chain counts.
      for (const chain of chains.toReversed()) {
        if (!windowOf(chain).some((window) => holds(window, border))) continue;
        const id = await catalog.chains.newestBase(chain, latestBase(chain, border, leaveOut));
        const snapshot = id === null ? null : await catalog.snapshots.get(id);
        if (snapshot !== null) return { snapshot, chainId: chain.id, border };
        if (leaveOut !== undefined && chain.base !== null) throw beforeBase(cluster, chain.base, leaveOut);
      }
      if (windows.length === 0) throw noWindow(cluster, state.state);
      throw notRestorable({ cluster, instant, border, windows, now });
    },
  };
}

/** Whether an instant of the past lies behind the newest slice of a chain that goes on. */
function isAhead({ windows, now }: { readonly windows: readonly ContinuousWindow[]; readonly now: Date }, instant: Instant, border: ClusterTime): boolean {
  const newest = windows.at(-1);
  return newest !== undefined && newest.end === null && compareClusterTimes(newest.to, border) < 0 && !isFuture(instant, border, now);
}

/** A base may be as late as the border, but has to lie before everything that is left out; where one choice has no begin, it is the oldest one. */
function latestBase({ base }: ChainWindow, border: ClusterTime, leaveOut: LeaveOutRequest | undefined): ClusterTime {
  const begins = (leaveOut?.what ?? []).map((choice) => beginOf(choice) ?? base ?? border);
  const [first] = begins.sort(compareClusterTimes);
  if (first === undefined) return border;
  const isOldest = base !== null && compareClusterTimes(first, base) === 0 && leaveOut?.what.some((choice) => beginOf(choice) === null) === true;
  return isOldest ? first : lastBefore(first);
}

function beforeBase({ name }: Cluster, oldest: ClusterTime, { what }: LeaveOutRequest): LeafvaultError {
  const early = what.filter((choice) => compareClusterTimes(beginOf(choice) ?? oldest, oldest) <= 0);
  return new LeafvaultError('LEAVE_OUT_BEFORE_BASE', `Finding a base of cluster ${name} failed: ${early.map(showChoice).join(', ')} begins before the first base snapshot of its stretch of continuous backup`, {
    details: { oldestBase: oldest, choices: early }, hint: 'What a base holds can not be left out; restore an instant just before it from an older snapshot, if there is one',
  });
}

function isFuture(instant: Instant, border: ClusterTime, now: Date): boolean {
  return 'time' in instant ? instant.time > now : border.t > Math.floor(now.getTime() / 1000);
}

function windowOf({ id, base, to, end }: ChainWindow): ContinuousWindow[] {
  return base === null ? [] : [{ chainId: id, from: base, to, end }];
}

function newestOf(windows: readonly ContinuousWindow[]): ClusterTime | null {
  return windows.map(({ to }) => to).sort(compareClusterTimes).at(-1) ?? null;
}

function gapsBetween(windows: readonly ContinuousWindow[]): ContinuousGap[] {
  return windows.slice(1).flatMap((window, index) => {
    const before = windows[index] as ContinuousWindow;
    return compareClusterTimes(before.to, window.from) < 0 ? [{ from: before.to, to: window.from, reason: before.end?.reason ?? 'unknown' }] : [];
  });
}

function noWindow(cluster: Cluster, state: string): LeafvaultError {
  return new LeafvaultError('CONTINUOUS_NO_WINDOW', `Finding a base of cluster ${cluster.name} failed: no instant between snapshots can be restored`, {
    details: { state },
    hint: state === 'off' ? 'Set continuousBackup: true for the cluster; instants can be restored from then on' : 'Wait for the first base snapshot, and look at the state of continuous backup',
  });
}

interface Miss {
  readonly cluster: Cluster;
  readonly instant: Instant;
  readonly border: ClusterTime;
  readonly windows: readonly ContinuousWindow[];
  readonly now: Date;
}

function notRestorable({ cluster, instant, border, windows, now }: Miss): LeafvaultError {
  // A window that is too short for a whole second offers none to who asks by time.
  const { before, after } = nearest('time' in instant ? windows.filter((window) => secondsOf(window) !== null) : windows, border);
  const { code, why, reason } = judge({ border, instant, now }, before, after);
  return new LeafvaultError(code, `Finding a base of cluster ${cluster.name} failed: ${why}`, {
    details: { before: before === null ? null : newestIn(before), after: after === null ? null : oldestIn(after), ...(reason === undefined ? {} : { reason }) },
    hint: code === 'CONTINUOUS_NOT_YET' ? 'Ask again in a minute' : 'Choose one of the nearest instants, or a snapshot',
  });
}

function judge({ border, instant, now }: Pick<Miss, 'border' | 'instant' | 'now'>, before: ContinuousWindow | null, after: ContinuousWindow | null): { code: string; why: string; reason?: string } {
  if (after !== null && before !== null) {
    const reason = before.end?.reason ?? 'unknown';
    return { code: 'CONTINUOUS_IN_GAP', why: `the instant lies in a gap, the chain before it ended (${reason})`, reason };
  }
  if (after !== null) return { code: 'CONTINUOUS_OUTSIDE_WINDOW', why: 'the instant lies before everything that was kept' };
  if (isFuture(instant, border, now)) return { code: 'CONTINUOUS_IN_FUTURE', why: 'the instant lies in the future' };
  if (before?.end === null) return { code: 'CONTINUOUS_NOT_YET', why: 'the instant is not kept yet' };
  return { code: 'CONTINUOUS_OUTSIDE_WINDOW', why: 'the instant lies behind everything that was kept' };
}

function newestIn(window: ContinuousWindow): RestorableInstant {
  return { border: window.to, time: secondsOf(window)?.last ?? null };
}

function oldestIn(window: ContinuousWindow): RestorableInstant {
  return { border: window.from, time: secondsOf(window)?.first ?? null };
}
