// How long each phase of a drill takes.
import { DRILL_PHASES, type DrillPhase, type DrillPhaseName } from '../../domain/drill.ts';
import type { Clock } from '../../foundation/clock.ts';

export interface PhaseTimer {
  /** The phase before it ends. A name that is no phase of a drill is a part of the one that runs. */
  begin(phase: string): void;
  /** Ends the one that runs. Whole milliseconds, in the order in which they began. */
  end(): readonly DrillPhase[];
}

export function createPhaseTimer(clock: Pick<Clock, 'monotonicMs'>): PhaseTimer {
  const began: { readonly phase: DrillPhaseName; readonly at: number; until: number | null }[] = [];
  const close = (): void => {
    const last = began.at(-1);
    if (last !== undefined) last.until ??= clock.monotonicMs();
  };
  return {
    begin(phase) {
      const known = DRILL_PHASES.find((each) => each === phase);
      if (known === undefined) return;
      close();
      began.push({ phase: known, at: clock.monotonicMs(), until: null });
    },
    end() {
      close();
      return began.map(({ phase, at, until }) => ({ phase, ms: Math.round((until ?? at) - at) }));
    },
  };
}
