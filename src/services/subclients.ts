// Commvault's subclients: `default` is everything, others are named choices of namespaces.
import type { CatalogAggregates, Subclient as Row } from '../catalog/index.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { Subclient, SubclientContent, Subclients } from './contracts.ts';
import { checkSelection } from './restore-selection.ts';
import { isStorable, keptText, nameToFind } from './storable.ts';

const DEFAULT_NAME = 'default';
const LONGEST_NAME = 128;

export function createSubclients(catalog: Pick<CatalogAggregates, 'subclients'>): Subclients {
  return {
    async resolve(clusterId, name) {
      const found = await catalog.subclients.byName(clusterId, nameToFind(name));
      if (found !== null) return told(found);
      throw new LeafvaultError('SUBCLIENT_NOT_FOUND', `Finding subclient ${name} of cluster ${clusterId} failed: there is none of that name`, {
        details: { clusterId, name },
        hint: 'Use the subclient "default", which is everything',
      });
    },
    async get(id) {
      const found = isId(id) ? await catalog.subclients.get(id) : null;
      return found === null ? failWithout(id) : told(found);
    },
    list: async (clusterId) => (await catalog.subclients.list(clusterId)).map(told),
    selectionOf({ name, isDefault, databases, collections }) {
      if (isDefault) return undefined;
      if (databases.length + collections.length > 0) return { databases, collections };
      throw new LeafvaultError('SUBCLIENT_EMPTY', `Backing up subclient ${name} failed: it has no content`, {
        details: { name }, hint: 'Give it databases or collections, or use the subclient "default", which is everything',
      });
    },
    async create({ cluster, name, databases, collections, description = '' }) {
      const row = { ...checked({ databases, collections }), clusterId: cluster.id, name: checkName(name), description: keptText('description', description) };
      return told(await orExists(name, catalog.subclients.insert(row)));
    },
    async change(subclient, { name, content, description }) {
      if (subclient.isDefault && ((name !== undefined && name.toLowerCase() !== DEFAULT_NAME) || (content !== undefined && !isEmpty(content)))) throw fixed('changed');
      const change = {
        ...(name === undefined || subclient.isDefault ? {} : { name: checkName(name) }),
        ...(content === undefined ? {} : checked(content)),
        ...(description === undefined ? {} : { description: keptText('description', description) }),
      };
      const changed = await orExists(name ?? subclient.name, catalog.subclients.update(subclient.id, change));
      return changed === null ? failWithout(subclient.id) : told(changed);
    },
    async remove({ id, isDefault }) {
      if (isDefault) throw fixed('deleted');
      await catalog.subclients.remove(id);
    },
  };
}

function told({ id, clusterId, name, databases, collections, description }: Row): Subclient {
  return { id, clusterId, name, isDefault: name.toLowerCase() === DEFAULT_NAME, databases, collections, description };
}

/** @throws SELECTION_INVALID */
function checked(content: SubclientContent): SubclientContent {
  const { databases, collections } = checkSelection({ ...content, renames: [] });
  return { databases: [...new Set(databases)], collections: [...new Set(collections)] };
}

function isEmpty({ databases, collections }: SubclientContent): boolean {
  return databases.length + collections.length === 0;
}

function checkName(name: string): string {
  const fault = name.trim() === '' ? 'it is empty' : name.length > LONGEST_NAME ? `it is longer than ${LONGEST_NAME} characters` : !isStorable(name) ? 'it can\'t be stored' : null;
  if (fault === null) return name;
  throw new LeafvaultError('SUBCLIENT_NAME_INVALID', `Naming a subclient failed: ${fault}`, { details: { name } });
}

async function orExists<T>(name: string, write: Promise<T>): Promise<T> {
  return write.catch((cause: unknown) => {
    if (!isLeafvaultError(cause, 'CATALOG_DUPLICATE')) throw cause;
    throw new LeafvaultError('SUBCLIENT_EXISTS', `Naming a subclient ${name} failed: the cluster has one of that name`, { cause, details: { name } });
  });
}

function fixed(what: 'changed' | 'deleted'): LeafvaultError {
  return new LeafvaultError('SUBCLIENT_FIXED', `The subclient "default" is not ${what}: it is everything`, { details: { what } });
}

function failWithout(id: string): never {
  throw new LeafvaultError('SUBCLIENT_NOT_FOUND', `Reading subclient ${id} failed: there is none`, { details: { name: id } });
}
