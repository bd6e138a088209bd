// Commvault's subclients: a named choice of namespaces of a cluster. `default` is everything.
import { newId } from '../foundation/ids.ts';
import type { CatalogContext } from './context.ts';

export interface Subclient {
  readonly id: string;
  readonly clusterId: string;
  readonly name: string;
  /** Both empty: everything. */
  readonly databases: readonly string[];
  readonly collections: readonly string[];
}

export interface Subclients {
  /** Names compare without regard to case; `default` is made at first sight. */
  byName(clusterId: string, name: string): Promise<Subclient | null>;
  get(id: string): Promise<Subclient | null>;
  /** @throws CATALOG_DUPLICATE */
  insert(row: Omit<Subclient, 'id'> & { readonly id?: string }): Promise<Subclient>;
  list(clusterId: string): Promise<readonly Subclient[]>;
}

const COLUMNS = ['id', 'clusterId', 'name', 'databases', 'collections'] as const;

export function createSubclients({ db, clock }: CatalogContext): Subclients {
  const find = (clusterId: string, nameLower: string) =>
    db.selectFrom('subclients').select(COLUMNS).where('clusterId', '=', clusterId).where('nameLower', '=', nameLower).executeTakeFirst();
  const rowOf = ({ id, clusterId, name, databases, collections }: Omit<Subclient, 'id'> & { readonly id?: string }) => ({
    id: id ?? newId(clock.now()), clusterId, name, nameLower: name.toLowerCase(),
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
    async insert(subclient) {
      const row = rowOf(subclient);
      await db.insertInto('subclients').values(row).execute();
      const { id, clusterId, name, databases, collections } = row;
      return { id, clusterId, name, databases, collections };
    },
    async list(clusterId) {
      await ensureDefault(clusterId);
      return db.selectFrom('subclients').select(COLUMNS).where('clusterId', '=', clusterId).orderBy('nameLower').execute();
    },
  };
}
