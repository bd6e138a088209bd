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

/** A ruined store must not fill the memory: beyond this, findings are counted and not kept; what they cost still is. */
const MAX_PROBLEMS = 10_000;
/** Beyond this, entries are not told any more, their snapshots are. */
const MAX_COSTS = 10_000;

interface Costs extends Finding {
  readonly list: () => CheckProblem['affects'];
  readonly size: () => number;
}

interface Kept extends Costs {
  readonly problem: Omit<CheckProblem, 'affects'>;
  onlyIfCostly: boolean;
}

function createCosts(): Costs {
  const affects = new Map<string, CheckProblem['affects'][number]>();
  return {
    costs(snapshotId, entry) {
      if (affects.size < MAX_COSTS) affects.set(`${snapshotId} ${entry ?? ''}`, { snapshotId, entry });
      else if (affects.size < 2 * MAX_COSTS) affects.set(`${snapshotId} `, { snapshotId, entry: null });
    },
    list: () => [...affects.values()],
    size: () => affects.size,
  };
}

export function createProblems(): Problems {
  const kept = new Map<string, Kept>();
  const more = createCosts();
  let dropped = 0;

  const drop = (onlyIfCostly: boolean): Finding => {
    let isCounted = !onlyIfCostly;
    if (isCounted) dropped += 1;
    return {
      costs(snapshotId, entry) {
        if (!isCounted) dropped += 1;
        isCounted = true;
        more.costs(snapshotId, entry);
      },
    };
  };

  const keep = (key: string, problem: Omit<CheckProblem, 'affects'>, onlyIfCostly: boolean): Finding => {
    if (kept.size >= MAX_PROBLEMS) return drop(onlyIfCostly);
    const one: Kept = { ...createCosts(), problem, onlyIfCostly };
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
        .filter(({ onlyIfCostly, size }) => !onlyIfCostly || size() > 0)
        .map(({ problem, list }) => ({ ...problem, affects: list() }));
      if (dropped === 0) return reported;
      const message = `${dropped} more findings are not listed`;
      return [...reported, { code: 'REPOSITORY_OBJECT_DAMAGED', object: 'repository', message, affects: more.list() }];
    },
  };
}
