// How long a restore would take, from what drills measured. The rule stands in docs/design/drills.md, "Expected recovery time". Pure.
import type { Drill, DrillPhaseName } from './drill.ts';

/** Phases whose time follows the bytes, and phases that take what they take. */
const GROWING = ['load', 'indexes', 'prove'] as const satisfies readonly DrillPhaseName[];
const FIXED = ['preflight', 'prepare', 'swap', 'finish'] as const satisfies readonly DrillPhaseName[];
const ORDER: readonly DrillPhaseName[] = ['preflight', 'prepare', 'load', 'indexes', 'prove', 'swap', 'finish'];
/** The newest of them. */
export const DRILLS_COUNTED = 5;

type Measured = Pick<Drill, 'place' | 'targetClusterId' | 'phases' | 'bytes'>;

export interface RecoveryTime {
  readonly milliseconds: number;
  /** Raw bytes that it was worked out for. */
  readonly bytes: number;
  readonly phases: readonly { readonly phase: DrillPhaseName; readonly ms: number }[];
  /** Phases of a restore that none of the drills went through. */
  readonly unmeasured: readonly DrillPhaseName[];
  /** How many drills it rests on, and the raw bytes of all of them. */
  readonly drills: number;
  readonly drilledBytes: number;
}

/**
 * @param bytes raw bytes of the snapshot that would be restored
 * @param proven proven drills of its cluster, newest first
 * @returns null without one
 */
export function recoveryTime(bytes: number, proven: readonly Measured[]): RecoveryTime | null {
  const [newest] = proven;
  if (newest === undefined) return null;
  const counted = proven.filter(({ place, targetClusterId }) => place === newest.place && targetClusterId === newest.targetClusterId).slice(0, DRILLS_COUNTED);
  const drilledBytes = counted.reduce((sum, each) => sum + (each.bytes ?? 0), 0);
  const expected = new Map<DrillPhaseName, number>();
  for (const phase of GROWING) {
    const times = timesOf(counted, phase);
    if (times.length === 0) continue;
    const all = times.reduce((sum, ms) => sum + ms, 0);
    expected.set(phase, drilledBytes > 0 ? (all / drilledBytes) * bytes : Math.max(...times));
  }
  for (const phase of FIXED) {
    const times = timesOf(counted, phase);
    if (times.length > 0) expected.set(phase, Math.max(...times));
  }
  const phases = ORDER.flatMap((phase) => (expected.has(phase) ? [{ phase, ms: expected.get(phase) ?? 0 }] : []));
  return {
    milliseconds: phases.reduce((sum, { ms }) => sum + ms, 0), bytes, phases, drills: counted.length, drilledBytes,
    unmeasured: ORDER.filter((phase) => !expected.has(phase)),
  };
}

function timesOf(drills: readonly Measured[], wanted: DrillPhaseName): number[] {
  return drills.flatMap(({ phases }) => phases.filter(({ phase }) => phase === wanted).map(({ ms }) => ms));
}
