// What the audit tells through an API: changes that were done, as a client may ask for them.
import type { AuditEvent, CatalogAggregates } from '../catalog/index.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { ChangeEvent, ChangeEvents } from './administration-contracts.ts';
import { isStorable } from './storable.ts';

const CLUSTER_IN_PATH = /\/(?:clusters|flexClusters|serverless|backupConfigs)\/([^/?]+)/;

export function createChangeEvents(catalog: Pick<CatalogAggregates, 'auditEvents' | 'clusters'>): ChangeEvents {
  return {
    async list({ actions, exceptActions, ...filter }, page) {
      const { items, totalCount } = await catalog.auditEvents.list({ ...filter, toldOnly: true, actions: actions?.filter(isStorable), exceptActions: exceptActions?.filter(isStorable) }, page);
      return { items: await changesOf(catalog, items), totalCount };
    },
    async get(where, id) {
      const number = isId(id) ? Number.parseInt(id, 16) : Number.NaN;
      const { items } = Number.isSafeInteger(number)
        ? await catalog.auditEvents.list({ ...where, toldOnly: true, id: number }, { pageNumber: 1, itemsPerPage: 1 }) : { items: [] };
      const [event] = await changesOf(catalog, items);
      if (event === undefined) throw new LeafvaultError('EVENT_NOT_FOUND', `Reading event ${id} failed: there is none`, { details: { id } });
      return event;
    },
  };
}

async function changesOf({ clusters }: Pick<CatalogAggregates, 'clusters'>, events: readonly AuditEvent[]): Promise<ChangeEvent[]> {
  const ids = [...new Set(events.flatMap((event) => (isPathById(event) ? partOfPath(event) ?? [] : [])))].filter(isId);
  const names = new Map(await Promise.all(ids.map(async (id) => [id, (await clusters.get(id))?.name ?? null] as const)));
  return events.map(({ id, details: { clusterName }, object, ...event }) => {
    const part = partOfPath({ object });
    const name = isPathById(event) ? names.get(part ?? '') ?? null : part;
    return { ...event, id: id.toString(16).padStart(24, '0'), clusterName: typeof clusterName === 'string' ? clusterName : name };
  });
}

/** The doors of Ops Manager and of our own name a cluster by its id. */
function isPathById({ action }: Pick<AuditEvent, 'action'>): boolean {
  return action.includes('/:clusterId');
}

function partOfPath({ object }: Pick<AuditEvent, 'object'>): string | null {
  const found = CLUSTER_IN_PATH.exec(object ?? '')?.[1];
  try {
    return found === undefined ? null : decodeURIComponent(found);
  } catch {
    // A path that was no good percent encoding names nothing.
    return null;
  }
}
