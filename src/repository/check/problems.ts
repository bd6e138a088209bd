// What a check found, and which snapshots and entries each finding costs.
import type { CheckProblem } from '../repository.ts';

export interface Finding {
  /** Says that this snapshot, and this entry of it, cannot be read whole because of the finding. */
  costs(snapshotId: string, entry: string | null): void;
}

export interface Problems {
  /** The same object and code give the same finding. `onlyIfCostly`: left out unless it costs something. */
  find(code: string, object: string, message: string, onlyIfCostly?: boolean): Finding;
  report(): CheckProblem[];
}

/** A ruined store must not fill the memory: beyond this, findings are counted and not kept. */
const MAX_PROBLEMS = 10_000;
const MAX_COSTS = 10_000;

interface Kept extends Finding {
  readonly problem: Omit<CheckProblem, 'affects'>;
  onlyIfCostly: boolean;
  readonly affects: Map<string, { readonly snapshotId: string; readonly entry: string | null }>;
}

export function createProblems(): Problems {
  const kept = new Map<string, Kept>();
  let dropped = 0;

  const keep = (key: string, problem: Omit<CheckProblem, 'affects'>, onlyIfCostly: boolean): Finding => {
    if (kept.size >= MAX_PROBLEMS) {
      dropped += 1;
      return { costs: () => undefined };
    }
    const affects: Kept['affects'] = new Map();
    const one: Kept = {
      problem, onlyIfCostly, affects,
      costs(snapshotId, entry) {
        if (affects.size < MAX_COSTS) affects.set(`${snapshotId} ${entry ?? ''}`, { snapshotId, entry });
      },
    };
    kept.set(key, one);
    return one;
  };

  return {
    find(code, object, message, onlyIfCostly = false) {
      const key = `${code} ${object}`;
      const known = kept.get(key);
      // Who finds it a fault in itself knows more than who met it on the way.
      if (known !== undefined && !onlyIfCostly) known.onlyIfCostly = false;
      return known ?? keep(key, { code, object, message }, onlyIfCostly);
    },
    report() {
      const reported = [...kept.values()]
        .filter(({ onlyIfCostly, affects }) => !onlyIfCostly || affects.size > 0)
        .map(({ problem, affects }) => ({ ...problem, affects: [...affects.values()] }));
      if (dropped === 0) return reported;
      const message = `${dropped} more findings are not listed`;
      return [...reported, { code: 'REPOSITORY_OBJECT_DAMAGED', object: 'repository', message, affects: [] }];
    },
  };
}
