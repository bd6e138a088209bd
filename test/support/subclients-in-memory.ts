// Subclients without a catalog, for tests of the doors: one choice of names for all clusters, unless a test makes its own through the service.
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { SubclientContent, Subclients } from '../../src/services/contracts.ts';
import { createSubclients } from '../../src/services/subclients.ts';

export interface SubclientsInMemory {
  /** By name in lower case. */
  readonly chosen: Map<string, SubclientContent>;
  readonly service: Subclients;
}

interface Row extends SubclientContent { readonly id: string; readonly clusterId: string; readonly name: string; readonly description: string }

/** The real rules over rows in memory. */
export function subclientsInMemory(): SubclientsInMemory {
  const chosen: SubclientsInMemory['chosen'] = new Map();
  const rows = new Map<string, Row>();
  let serial = 0;
  const find = (clusterId: string, name: string): Row | undefined => [...rows.values()].find((row) => row.clusterId === clusterId && row.name.toLowerCase() === name.toLowerCase());
  const add = (row: Omit<Row, 'id'>): Row => {
    const made = { ...row, id: (0x770000000000 + ++serial).toString(16).padStart(24, '0') };
    rows.set(made.id, made);
    return made;
  };
  const refuseTwin = (clusterId: string, name: string, except = ''): void => {
    const twin = find(clusterId, name);
    if (twin !== undefined && twin.id !== except) throw new LeafvaultError('CATALOG_DUPLICATE', 'In memory: a twin');
  };
  const byName = (clusterId: string, name: string): Row | null => {
    const content = name.toLowerCase() === 'default' ? { databases: [], collections: [] } : chosen.get(name.toLowerCase());
    return find(clusterId, name) ?? (content === undefined ? null : add({ ...content, clusterId, name: name.toLowerCase(), description: '' }));
  };
  const service = createSubclients({
    subclients: {
      byName: async (clusterId, name) => byName(clusterId, name),
      get: async (id) => rows.get(id) ?? null,
      async insert({ clusterId, name, databases, collections, description = '' }) {
        refuseTwin(clusterId, name);
        return add({ clusterId, name, databases, collections, description });
      },
      async update(id, change) {
        const old = rows.get(id);
        if (old === undefined) return null;
        refuseTwin(old.clusterId, change.name ?? old.name, id);
        const made: Row = { ...old, ...change };
        rows.set(id, made);
        return made;
      },
      async remove(id) { rows.delete(id); },
      async list(clusterId) {
        byName(clusterId, 'default');
        return [...rows.values()].filter((row) => row.clusterId === clusterId);
      },
    },
  });
  return { chosen, service };
}

