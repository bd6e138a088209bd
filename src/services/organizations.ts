// Organizations by their id.
import type { CatalogAggregates } from '../catalog/index.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { Organizations } from './administration-contracts.ts';

export function createOrganizations(catalog: Pick<CatalogAggregates, 'organizations'>): Organizations {
  return {
    async get(id) {
      const found = isId(id) ? await catalog.organizations.get(id) : null;
      if (found === null) throw organizationNotFound(id);
      return found;
    },
  };
}

export function organizationNotFound(id: string): LeafvaultError {
  return new LeafvaultError('ORGANIZATION_NOT_FOUND', `Reading organization ${id} failed: there is none`, { details: { id } });
}
