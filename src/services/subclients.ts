// Commvault's subclients: `default` is everything, others are named choices of namespaces.
import type { CatalogAggregates } from '../catalog/index.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { Subclients } from './contracts.ts';
import { nameToFind } from './storable.ts';

export function createSubclients(catalog: Pick<CatalogAggregates, 'subclients'>): Subclients {
  return {
    async resolve(clusterId, name) {
      const found = await catalog.subclients.byName(clusterId, nameToFind(name));
      if (found === null) {
        throw new LeafvaultError('SUBCLIENT_NOT_FOUND', `Finding subclient ${name} of cluster ${clusterId} failed: there is none of that name`, {
          details: { clusterId, name },
          hint: 'Use the subclient "default", which is everything',
        });
      }
      return { id: found.id, name: found.name, databases: found.databases, collections: found.collections };
    },
  };
}
