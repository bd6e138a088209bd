// The audit: who did what, to what, from where.
import type { CatalogAggregates } from '../catalog/index.ts';
import type { Audit } from './contracts.ts';

export function createAudit(catalog: Pick<CatalogAggregates, 'auditEvents'>): Audit {
  return {
    record: ({ principal, action, projectId, object, address, details }) => catalog.auditEvents.insert({
      principalKind: principal?.kind ?? null,
      principalId: principal?.id ?? null,
      principalName: principal?.name ?? null,
      action, projectId, object, address,
      details: details ?? {},
    }),
  };
}
