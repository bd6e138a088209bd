// Drops collections and views by the names of a plan, and only those that are still what the plan made.
import type { Logger } from '../../foundation/logger.ts';
import { bucketsOf } from '../mongo/namespaces.ts';
import { isNamespaceMissing, listNames, type Listed, type Target } from './open-target.ts';

export interface Named {
  readonly db: string;
  readonly name: string;
  /** 32 hex digits; null: not known (made a moment before a crash), the random name is proof enough. */
  readonly uuid: string | null;
}

/**
 * Drops what is there; what is gone, or has another UUID than the plan says, is passed over.
 * @param before run before each drop; what it throws ends the work
 */
export async function dropNamed(target: Target, named: readonly Named[], log: Logger, before: () => Promise<void> = async () => undefined): Promise<void> {
  for (const [db, group] of byDatabase(named)) {
    const listed = await listNames(target, db, group.flatMap(({ name }) => [name, bucketsOf(name)]));
    for (const each of group) {
      const found = listed.get(each.name);
      if (found === undefined) continue;
      if (isOurs(each, found, listed.get(bucketsOf(each.name)))) {
        await before();
        await drop(target, each);
      } else log.warn({ namespace: `${db}.${each.name}` }, 'Left a collection alone that has a name of the plan but another UUID');
    }
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
