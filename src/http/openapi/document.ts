// Which APIs and resources the document of this server has.
import { ATLAS_V1_5_OPERATIONS, ATLAS_V1_OPERATIONS, atlasV1, atlasV15, V1_5_FORM, V1_FORM } from '../facades/atlas-v1/routes.ts';
import { ATLAS_V2_OPERATIONS, atlasV2 } from '../facades/atlas-v2/routes.ts';
import { OPS_MANAGER } from '../facades/ops-manager-v1/describe.ts';
import { OPS_MANAGER_V1_OPERATIONS, opsManagerV1 } from '../facades/ops-manager-v1/routes.ts';
import { COLLECTION_RESTORE_OPERATIONS } from '../wire/atlas/collection-restores/describe.ts';
import { COMPLIANCE_OPERATIONS } from '../wire/atlas/compliance/describe.ts';
import { CLUSTER_OPERATIONS } from '../wire/atlas/clusters/describe.ts';
import { API_KEY_OPERATIONS, SERVICE_ACCOUNT_OPERATIONS } from '../wire/atlas/credentials/describe.ts';
import { EVENT_OPERATIONS } from '../wire/atlas/events/describe.ts';
import { EXPORT_OPERATIONS } from '../wire/atlas/exports/describe.ts';
import { FLEX_OPERATIONS } from '../wire/atlas/flex/describe.ts';
import { GROUP_OPERATIONS } from '../wire/atlas/groups/describe.ts';
import { INVENTORY } from '../wire/atlas/inventory/describe.ts';
import { LEGACY_OPERATIONS } from '../wire/atlas/legacy/describe.ts';
import { RESTORE_JOBS } from '../wire/atlas/restore-jobs/describe.ts';
import { SCHEDULE_OPERATIONS } from '../wire/atlas/schedule/describe.ts';
import { SERVERLESS_OPERATIONS } from '../wire/atlas/serverless/describe.ts';
import { SNAPSHOT_CONTENTS } from '../wire/atlas/snapshot-contents/describe.ts';
import { SNAPSHOTS } from '../wire/atlas/snapshots/describe.ts';
import { SYSTEM_OPERATIONS } from '../wire/atlas/system/describe.ts';
import { TENANT_OPERATIONS } from '../wire/atlas/tenant/describe.ts';
import type { DescribedResource } from '../wire/describe.ts';
import { buildDocument, type OpenApiDocument, type Section } from './build-document.ts';

export const SECTIONS: readonly Section[] = [
  { name: 'atlasV2', prefix: atlasV2.prefix, security: ['digest', 'bearer'], operations: ATLAS_V2_OPERATIONS },
  { name: 'atlasV1', prefix: atlasV1.prefix, security: ['digest', 'bearer'], operations: ATLAS_V1_OPERATIONS, form: V1_FORM },
  { name: 'atlasV15', prefix: atlasV15.prefix, security: ['digest', 'bearer'], operations: ATLAS_V1_5_OPERATIONS, form: V1_5_FORM },
  { name: 'opsManager', prefix: opsManagerV1.prefix, security: ['digest'], operations: OPS_MANAGER_V1_OPERATIONS },
];

export const RESOURCES: readonly DescribedResource[] = [
  SNAPSHOTS, SNAPSHOT_CONTENTS, RESTORE_JOBS, COLLECTION_RESTORE_OPERATIONS, SCHEDULE_OPERATIONS, EXPORT_OPERATIONS, COMPLIANCE_OPERATIONS, TENANT_OPERATIONS, FLEX_OPERATIONS, SERVERLESS_OPERATIONS, LEGACY_OPERATIONS,
  INVENTORY, GROUP_OPERATIONS, CLUSTER_OPERATIONS, API_KEY_OPERATIONS, SERVICE_ACCOUNT_OPERATIONS, EVENT_OPERATIONS, SYSTEM_OPERATIONS, OPS_MANAGER,
];

export function ownDocument(version: string): OpenApiDocument {
  return buildDocument(SECTIONS, RESOURCES, { version });
}
