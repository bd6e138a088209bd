// Commvault's subclients: a named choice of namespaces of a cluster. `default` is everything.
import { newId } from '../foundation/ids.ts';
import type { CatalogContext } from './context.ts';

export interface Subclient {
  readonly id: string;
  readonly clusterId: string;
  readonly name: string;
  /** Both empty: everything for `default`, nothing yet for any other. */
  readonly databases: readonly string[];
  readonly collections: readonly string[];
  /** For people. */
  readonly description: string;
}

type NewSubclient = Omit<Subclient, 'id' | 'description'> & { readonly id?: string; readonly description?: string };

export interface Subclients {
  /** Names compare without regard to case; `default` is made at first sight. */
  byName(clusterId: string, name: string): Promise<Subclient | null>;
  get(id: string): Promise<Subclient | null>;
  /** @throws CATALOG_DUPLICATE */
  insert(row: NewSubclient): Promise<Subclient>;
  /** What is absent stays; null: there is none. @throws CATALOG_DUPLICATE */
  update(id: string, change: Partial<Pick<Subclient, 'name' | 'databases' | 'collections' | 'description'>>): Promise<Subclient | null>;
  remove(id: string): Promise<void>;
  /** `default` first, then by name. */
  list(clusterId: string): Promise<readonly Subclient[]>;
}

const COLUMNS = ['id', 'clusterId', 'name', 'databases', 'collections', 'description'] as const;

export function createSubclients({ db, clock }: CatalogContext): Subclients {
  const find = (clusterId: string, nameLower: string) =>
    db.selectFrom('subclients').select(COLUMNS).where('clusterId', '=', clusterId).where('nameLower', '=', nameLower).executeTakeFirst();
  const rowOf = ({ id, clusterId, name, databases, collections, description = '' }: NewSubclient) => ({
    id: id ?? newId(clock.now()), clusterId, name, nameLower: name.toLowerCase(), description,
    databases: [...databases], collections: [...collections], createdAt: clock.now(),
  });
  const ensureDefault = (clusterId: string) =>
    db
      .insertInto('subclients').values(rowOf({ clusterId, name: 'default', databases: [], collections: [] }))
      .onConflict((conflict) => conflict.doNothing()).execute();
  return {
    async byName(clusterId, name) {
      const nameLower = name.toLowerCase();
      const known = await find(clusterId, nameLower);
      if (known !== undefined || nameLower !== 'default') return known ?? null;
      await ensureDefault(clusterId);
      return (await find(clusterId, nameLower)) ?? null;
    },
    async get(id) {
      return (await db.selectFrom('subclients').select(COLUMNS).where('id', '=', id).executeTakeFirst()) ?? null;
    },
    insert: (subclient) => db.insertInto('subclients').values(rowOf(subclient)).returning(COLUMNS).executeTakeFirstOrThrow(),
    async update(id, { name, databases, collections, description }) {
      const change = {
        // A column that is its own: an update without any would be no SQL.
        id,
        ...(name === undefined ? {} : { name, nameLower: name.toLowerCase() }),
        ...(databases === undefined ? {} : { databases: [...databases] }),
        ...(collections === undefined ? {} : { collections: [...collections] }),
        ...(description === undefined ? {} : { description }),
      };
      return (await db.updateTable('subclients').set(change).where('id', '=', id).returning(COLUMNS).executeTakeFirst()) ?? null;
    },
    async remove(id) {
      await db.deleteFrom('subclients').where('id', '=', id).execute();
    },
    async list(clusterId) {
      await ensureDefault(clusterId);
      return db
        .selectFrom('subclients').select(COLUMNS).where('clusterId', '=', clusterId)
        .orderBy((eb) => eb('nameLower', '=', 'default'), 'desc').orderBy('nameLower').execute();
    },
  };
}
