// Drops collections and views by the names of a plan, and only those that are still what the plan made.
import type { Logger } from '../../foundation/logger.ts';
import { runAtOnce } from '../backup/run-at-once.ts';
import { bucketsOf } from '../mongo/namespaces.ts';
import { isNamespaceMissing, listNames, type Listed, type Target } from './open-target.ts';

export interface Named {
  readonly db: string;
  readonly name: string;
  /** 32 hex digits; null: not known (made a moment before a crash), the random name is proof enough. */
  readonly uuid: string | null;
}

/** One drop waits for the disk and a majority's oplog, not for the next one. */
const DROPS_AT_ONCE = 8;

/**
 * Drops what is there; what is gone, or has another UUID than the plan says, is passed over.
 * @param before run before each drop, one at a time; what it throws ends the work
 */
export async function dropNamed(target: Target, named: readonly Named[], log: Logger, before: () => Promise<void> = async () => undefined): Promise<void> {
  let turn = Promise.resolve();
  const inTurn = (): Promise<void> => (turn = turn.then(before));
  for (const [db, group] of byDatabase(named)) {
    const listed = await listNames(target, db, group.flatMap(({ name }) => [name, bucketsOf(name)]));
    await runAtOnce(group, DROPS_AT_ONCE, async (each) => {
      const found = listed.get(each.name);
      if (found === undefined) return;
      if (isOurs(each, found, listed.get(bucketsOf(each.name)))) {
        await inTurn();
        await drop(target, each);
      } else log.warn({ namespace: `${db}.${each.name}` }, 'Left a collection alone that has a name of the plan but another UUID');
    });
  }
}

function isOurs(named: Named, found: Listed, buckets: Listed | undefined): boolean {
  const uuid = found.type === 'timeseries' ? (buckets?.uuid ?? null) : found.uuid;
  return named.uuid === null || uuid === named.uuid;
}

async function drop(target: Target, { db, name }: Named): Promise<void> {
  try {
    await target.db(db).command({ drop: name, writeConcern: { w: 1 } });
  } catch (error) {
    if (!isNamespaceMissing(error)) throw error;
  }
}

function byDatabase(named: readonly Named[]): Map<string, Named[]> {
  const groups = new Map<string, Named[]>();
  for (const each of named) groups.set(each.db, [...(groups.get(each.db) ?? []), each]);
  return groups;
}
