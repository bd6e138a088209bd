// Continuous backup of a cluster as JSON. Instants come in both forms: as a border, and as a time where there is one.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import { secondsOf } from '../../domain/instant.ts';
import type { ContinuousStatus, ContinuousWindow } from '../../services/contracts.ts';

const HOUR_SECONDS = 3600;

export function presentContinuous({ state, cause, warning, recoveryPoint, lagSeconds, headroomSeconds, member, windows, gaps }: ContinuousStatus): object {
  return {
    state, warning, lagSeconds, member,
    cause: cause === null ? null : { ...cause, at: cause.at?.toISOString() ?? null },
    recoveryPoint: recoveryPoint === null ? null : presentBorder(recoveryPoint),
    oplogHeadroomHours: headroomSeconds === null ? null : headroomSeconds / HOUR_SECONDS,
    windows: windows.map(presentWindow),
    gaps: gaps.map(({ from, to, reason }) => ({ from: presentBorder(from), to: presentBorder(to), reason })),
  };
}

/** `oplogTs` and `oplogInc` as a restore takes them; `date` is only their second, for people. */
export function presentBorder({ t, i }: ClusterTime): object {
  return { oplogTs: t, oplogInc: i, date: new Date(t * 1000).toISOString() };
}

function presentWindow(window: ContinuousWindow): object {
  const { chainId, from, to, end } = window;
  const seconds = secondsOf(window);
  return {
    chainId, from: presentBorder(from), to: presentBorder(to),
    /** Whole seconds that a restore to a time may name. */
    firstTime: seconds?.first.toISOString() ?? null, lastTime: seconds?.last.toISOString() ?? null,
    end: end === null ? null : { ...end, at: end.at.toISOString() },
  };
}
