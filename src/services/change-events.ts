// What the audit tells through an API: changes that were done, as a client may ask for them.
import type { AuditEvent, CatalogAggregates } from '../catalog/index.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { ChangeEvent, ChangeEvents } from './administration-contracts.ts';
import { isStorable } from './storable.ts';

const CLUSTER_IN_PATH = /\/(?:clusters|flexClusters|serverless)\/([^/?]+)/;

export function createChangeEvents(catalog: Pick<CatalogAggregates, 'auditEvents'>): ChangeEvents {
  return {
    async list({ actions, exceptActions, ...filter }, page) {
      const { items, totalCount } = await catalog.auditEvents.list({ ...filter, doneOnly: true, actions: actions?.filter(isStorable), exceptActions: exceptActions?.filter(isStorable) }, page);
      return { items: items.map(changeOf), totalCount };
    },
    async get(where, id) {
      const number = isId(id) ? Number.parseInt(id, 16) : Number.NaN;
      const { items: [event] } = Number.isSafeInteger(number)
        ? await catalog.auditEvents.list({ ...where, doneOnly: true, id: number }, { pageNumber: 1, itemsPerPage: 1 }) : { items: [] };
      if (event === undefined) throw new LeafvaultError('EVENT_NOT_FOUND', `Reading event ${id} failed: there is none`, { details: { id } });
      return changeOf(event);
    },
  };
}

function changeOf({ id, details: { clusterName }, object, ...event }: AuditEvent): ChangeEvent {
  return { ...event, id: id.toString(16).padStart(24, '0'), clusterName: typeof clusterName === 'string' ? clusterName : nameIn(object) };
}

function nameIn(object: string | null): string | null {
  const found = CLUSTER_IN_PATH.exec(object ?? '')?.[1];
  try {
    return found === undefined ? null : decodeURIComponent(found);
  } catch {
    // A path that was no good percent encoding names nothing.
    return null;
  }
}
