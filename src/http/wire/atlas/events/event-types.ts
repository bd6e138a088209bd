// The vendor's names for changes that were asked for at one of our doors.

const CLUSTER = '/groups/:groupId/clusters/:clusterName';
const KEY = '/orgs/:orgId/apiKeys/:apiUserId';
const ORG_ACCOUNT = '/orgs/:orgId/serviceAccounts/:clientId';
const GROUP_ACCOUNT = '/groups/:groupId/serviceAccounts/:clientId';

/** Names by what was asked of Atlas, whichever version. */
const NAMES: Readonly<Record<string, string>> = {
  'POST /groups': 'GROUP_CREATED',
  'PATCH /groups/:groupId': 'GROUP_NAME_CHANGED',
  'DELETE /groups/:groupId': 'GROUP_DELETED',
  'POST /groups/:groupId/clusters': 'CLUSTER_CREATED',
  [`PATCH ${CLUSTER}`]: 'CLUSTER_UPDATE_SUBMITTED',
  [`DELETE ${CLUSTER}`]: 'CLUSTER_DELETED',
  [`POST ${CLUSTER}/backup/snapshots`]: 'CPS_ON_DEMAND_SNAPSHOT_REQUESTED',
  [`DELETE ${CLUSTER}/backup/snapshots/:snapshotId`]: 'CPS_SNAPSHOT_DELETED_AUDIT',
  [`PATCH ${CLUSTER}/backup/snapshots/:snapshotId`]: 'CPS_SNAPSHOT_RETENTION_MODIFIED_AUDIT',
  [`PATCH ${CLUSTER}/backup/schedule`]: 'CPS_SNAPSHOT_SCHEDULE_UPDATED_AUDIT',
  [`DELETE ${CLUSTER}/backup/schedule`]: 'CPS_SNAPSHOT_SCHEDULE_UPDATED_AUDIT',
  [`POST ${CLUSTER}/backup/restoreJobs`]: 'CPS_RESTORE_REQUESTED_AUDIT',
  'PUT /groups/:groupId/backupCompliancePolicy': 'CPS_DATA_PROTECTION_UPDATE_REQUESTED',
  'DELETE /groups/:groupId/backupCompliancePolicy': 'CPS_DATA_PROTECTION_DISABLE_REQUESTED',
  'POST /groups/:groupId/backup/exportBuckets': 'BUCKET_CREATED_AUDIT',
  'DELETE /groups/:groupId/backup/exportBuckets/:exportBucketId': 'BUCKET_DELETED_AUDIT',
  'POST /orgs/:orgId/apiKeys': 'API_KEY_CREATED',
  'POST /groups/:groupId/apiKeys': 'API_KEY_CREATED',
  [`PATCH ${KEY}`]: 'API_KEY_ROLES_CHANGED',
  'PATCH /groups/:groupId/apiKeys/:apiUserId': 'API_KEY_ROLES_CHANGED',
  [`DELETE ${KEY}`]: 'API_KEY_DELETED',
  'POST /groups/:groupId/apiKeys/:apiUserId': 'API_KEY_ADDED_TO_GROUP',
  'DELETE /groups/:groupId/apiKeys/:apiUserId': 'API_KEY_REMOVED_FROM_GROUP',
  [`POST ${KEY}/accessList`]: 'API_KEY_ACCESS_LIST_ENTRY_ADDED',
  [`DELETE ${KEY}/accessList/:ipAddress`]: 'API_KEY_ACCESS_LIST_ENTRY_DELETED',
  'POST /orgs/:orgId/serviceAccounts': 'SERVICE_ACCOUNT_CREATED',
  'POST /groups/:groupId/serviceAccounts': 'SERVICE_ACCOUNT_CREATED',
  [`PATCH ${ORG_ACCOUNT}`]: 'SERVICE_ACCOUNT_DETAILS_CHANGED',
  [`PATCH ${GROUP_ACCOUNT}`]: 'SERVICE_ACCOUNT_DETAILS_CHANGED',
  [`DELETE ${ORG_ACCOUNT}`]: 'SERVICE_ACCOUNT_DELETED',
  [`DELETE ${GROUP_ACCOUNT}`]: 'SERVICE_ACCOUNT_REMOVED_FROM_GROUP',
  [`POST ${GROUP_ACCOUNT}:invite`]: 'SERVICE_ACCOUNT_ADDED_TO_GROUP',
  [`POST ${ORG_ACCOUNT}/secrets`]: 'SERVICE_ACCOUNT_SECRET_ADDED',
  [`POST ${GROUP_ACCOUNT}/secrets`]: 'SERVICE_ACCOUNT_SECRET_ADDED',
  [`DELETE ${ORG_ACCOUNT}/secrets/:secretId`]: 'SERVICE_ACCOUNT_SECRET_DELETED',
  [`DELETE ${GROUP_ACCOUNT}/secrets/:secretId`]: 'SERVICE_ACCOUNT_SECRET_DELETED',
  [`POST ${ORG_ACCOUNT}/accessList`]: 'SERVICE_ACCOUNT_ACCESS_LIST_ENTRY_ADDED',
  [`POST ${GROUP_ACCOUNT}/accessList`]: 'SERVICE_ACCOUNT_ACCESS_LIST_ENTRY_ADDED',
  [`DELETE ${ORG_ACCOUNT}/accessList/:ipAddress`]: 'SERVICE_ACCOUNT_ACCESS_LIST_ENTRY_DELETED',
  [`DELETE ${GROUP_ACCOUNT}/accessList/:ipAddress`]: 'SERVICE_ACCOUNT_ACCESS_LIST_ENTRY_DELETED',
};
/** Ops Manager's API keys are asked for by the same paths, and called the same. */
const DOORS = ['atlas-v2', 'atlas-v1', 'atlas-v1.5', 'ops-manager-v1'] as const;

/**
 * The name of a change; one that the vendor does not know by name is called by method and path.
 * @param action `atlas-v2 POST /groups/:groupId/clusters`
 */
export function eventTypeOf(action: string): string {
  const [door = '', ...asked] = action.split(' ');
  const known = (DOORS as readonly string[]).includes(door) ? NAMES[asked.join(' ')] : undefined;
  return known ?? action.replaceAll(/:[a-zA-Z]+/g, '').replaceAll(/([a-z])([A-Z])/g, '$1_$2').replaceAll(/[^a-zA-Z0-9]+/g, '_').replace(/_$/, '').toUpperCase();
}

/** Actions of these names; names of no Atlas operation have none. */
export function actionsOf(types: readonly string[]): readonly string[] {
  return Object.entries(NAMES).filter(([, name]) => types.includes(name)).flatMap(([asked]) => DOORS.map((door) => `${door} ${asked}`));
}
