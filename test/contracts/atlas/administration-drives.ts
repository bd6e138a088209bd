// What is around backups: projects, clusters, keys and accounts that are made, changed and ended again.
import type { Drive, World } from './drives.ts';

/** A group and a cluster of their own: what others ask about stays. */
const inOtherGroup = ({ params }: World): Readonly<Record<string, string>> => ({ groupId: params['otherGroupId'] ?? '' });
const ofCopy = (): Readonly<Record<string, string>> => ({ clusterName: 'copy' });
/** One for each version that makes clusters; the newest makes `copy`. */
const copyOf = (version: string) => (version === '2024-10-23' ? 'copy' : `copy-${version}`);
const tags = [{ key: 'made-by', value: 'contract' }];

const KEYS: readonly Drive[] = [
  { id: 'createOrgApiKey', body: () => ({ desc: 'contract', roles: ['ORG_MEMBER'] }), keep: { apiUserId: 'id' } },
  { id: 'listOrgApiKeys' },
  { id: 'updateOrgApiKey', body: () => ({ desc: 'contract, read only', roles: ['ORG_READ_ONLY'] }) },
  { id: 'getOrgApiKey' },
  { id: 'createOrgApiKeyAccessListEntry', body: () => [{ ipAddress: '192.0.2.1' }], keep: { ipAddress: 'results.ipAddress' } },
  { id: 'listOrgApiKeyAccessListEntries' },
  { id: 'getOrgApiKeyAccessListEntry' },
  { id: 'deleteOrgApiKeyAccessListEntry' },
  { id: 'addGroupApiKey', body: () => [{ roles: ['GROUP_READ_ONLY'] }] },
  { id: 'updateGroupApiKeyRoles', body: () => ({ roles: ['GROUP_BACKUP_MANAGER'] }) },
  { id: 'listGroupApiKeys' },
  { id: 'removeGroupApiKey' },
  { id: 'deleteOrgApiKey' },
  { id: 'createGroupApiKey', body: () => ({ desc: 'contract', roles: ['GROUP_READ_ONLY'] }), keep: { apiUserId: 'id' } },
];

const ACCOUNTS: readonly Drive[] = [
  { id: 'createOrgServiceAccount', body: () => ({ name: 'contract', description: 'of the suite', roles: ['ORG_MEMBER'], secretExpiresAfterHours: 8 }), keep: { clientId: 'clientId' } },
  { id: 'listOrgServiceAccounts' },
  { id: 'updateOrgServiceAccount', body: () => ({ description: 'of the contract suite' }) },
  { id: 'getOrgServiceAccount' },
  { id: 'createOrgServiceAccountSecret', body: () => ({ secretExpiresAfterHours: 24 }), keep: { secretId: 'id' } },
  { id: 'deleteOrgServiceAccountSecret' },
  { id: 'createOrgServiceAccountAccessList', body: () => [{ cidrBlock: '192.0.2.0/24' }], keep: { ipAddress: 'results.cidrBlock' } },
  { id: 'listOrgServiceAccountAccessList' },
  { id: 'deleteOrgServiceAccountAccessListEntry' },
  { id: 'inviteGroupServiceAccount', body: () => ({ roles: ['GROUP_READ_ONLY'] }) },
  { id: 'getOrgServiceAccountGroups' },
  { id: 'listGroupServiceAccounts' },
  { id: 'updateGroupServiceAccount', body: () => ({ roles: ['GROUP_BACKUP_MANAGER'] }) },
  { id: 'getGroupServiceAccount' },
  { id: 'createGroupServiceAccountSecret', body: () => ({ secretExpiresAfterHours: 24 }), keep: { secretId: 'id' } },
  { id: 'deleteGroupServiceAccountSecret' },
  { id: 'createGroupServiceAccountAccessList', body: () => [{ ipAddress: '192.0.2.1' }], keep: { ipAddress: 'results.ipAddress' } },
  { id: 'listGroupServiceAccountAccessList' },
  { id: 'deleteGroupServiceAccountAccessListEntry' },
  { id: 'deleteGroupServiceAccount' },
  { id: 'deleteOrgServiceAccount' },
  { id: 'createGroupServiceAccount', body: () => ({ name: 'contract', description: 'of the suite', roles: ['GROUP_READ_ONLY'], secretExpiresAfterHours: 8 }), keep: { clientId: 'clientId' } },
];

export const ADMINISTRATION_DRIVES: readonly Drive[] = [
  { id: 'createGroup', body: ({ params }) => ({ name: 'contract', orgId: params['orgId'], tags }), keep: { otherGroupId: 'id' } },
  { id: 'updateGroup', body: () => ({ name: 'contract-renamed' }), params: inOtherGroup },
  { id: 'deleteGroup', params: inOtherGroup },
  { id: 'createGroupCluster', everyVersion: true, body: ({ params }, version) => ({ name: copyOf(version), leafvaultConnectionString: params['connectionString'], backupEnabled: false, tags }) },
  { id: 'updateGroupCluster', everyVersion: true, body: () => ({ tags: [] }), params: ofCopy },
  { id: 'listGroupClusters', query: 'includeDeletedWithRetainedBackups=true' },
  { id: 'deleteGroupCluster', versions: ['2023-01-01'], params: () => ({ clusterName: 'copy-2023-01-01' }) },
  ...['copy-2023-02-01', 'copy-2024-08-05'].map((clusterName): Drive => ({ id: 'deleteGroupCluster', params: () => ({ clusterName }) })),
  { id: 'deleteGroupCluster', params: ofCopy },
  ...KEYS,
  ...ACCOUNTS,
];
