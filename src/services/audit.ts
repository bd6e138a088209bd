// The audit: who did what, to what, from where.
import type { CatalogAggregates } from '../catalog/index.ts';
import type { Audit, AuditedRequest } from './contracts.ts';
import { storable } from '../foundation/storable.ts';

export function createAudit(catalog: Pick<CatalogAggregates, 'auditEvents'>): Audit {
  return {
    record: (event) => catalog.auditEvents.insert(rowOf(event)),
    begin: (event) => catalog.auditEvents.begin(rowOf(event)),
    settle: (id, events) => catalog.auditEvents.settle(id, events.map(rowOf)),
  };
}

function rowOf({ principal, action, projectId, orgId, object, address, details }: AuditedRequest): Parameters<CatalogAggregates['auditEvents']['insert']>[0] {
  return {
    principalKind: principal?.kind ?? null,
    principalId: principal?.id ?? null,
    principalName: storableOrNull(principal?.name ?? null),
    action: storable(action),
    projectId: storableOrNull(projectId),
    orgId: storableOrNull(orgId ?? principal?.orgId ?? null),
    object: storableOrNull(object),
    address: storable(address),
    details: storableDetails(details ?? {}),
  };
}

function storableOrNull(text: string | null): string | null {
  return text === null ? null : storable(text);
}

/** At every depth: PostgreSQL refuses U+0000 in JSON too. Names of attributes are Leafvault's own. */
function storableDetails(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(details), (_, value: unknown) => (typeof value === 'string' ? storable(value) : value)) as Record<string, unknown>;
}
