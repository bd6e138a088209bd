// What Atlas has around backups: organizations, groups, clusters, credentials, events.
import * as accessLists from '../credentials/access-lists.ts';
import * as accounts from '../credentials/service-accounts.ts';
import * as clusters from '../clusters/handlers.ts';
import { API_KEY_ROUTES } from '../credentials/operations.ts';
import * as events from '../events/handlers.ts';
import * as groups from '../groups/handlers.ts';
import * as inventory from '../inventory/handlers.ts';
import * as surroundings from '../groups/surroundings.ts';
import * as system from '../system/handlers.ts';
import { CLUSTER_DELETE, CLUSTER_WRITES, CLUSTERS, GROUPS, PROCESS_ARGS, RATE_LIMITS, SERVICE_ACCOUNTS, type VersionedOperation } from './versions.ts';

const ORG = '/orgs/:orgId';
const GROUP = '/groups/:groupId';
const CLUSTER = `${GROUP}/clusters/:clusterName`;
const ORG_ACCOUNT = `${ORG}/serviceAccounts/:clientId`;
const GROUP_ACCOUNT = `${GROUP}/serviceAccounts/:clientId`;

const READER = ['GROUP_READ_ONLY'] as const;
const OWNER = ['GROUP_OWNER'] as const;
const ACCESS = ['GROUP_ACCESS_MANAGER'] as const;
const ORG_MEMBER = { roles: null, orgRoles: ['ORG_MEMBER'] } as const;
const ORG_READER = { roles: null, orgRoles: ['ORG_READ_ONLY'] } as const;
const ORG_OWNER = { roles: null, orgRoles: ['ORG_OWNER'] } as const;

export const ADMINISTRATION_OPERATIONS: readonly VersionedOperation[] = [
  { method: 'GET', path: '/', roles: null, versions: GROUPS, handle: system.getSystemStatus },
  { method: 'GET', path: '/rateLimits', roles: null, versions: RATE_LIMITS, handle: system.listRateLimits },
  { method: 'GET', path: '/rateLimits/:endpointSetId', roles: null, versions: RATE_LIMITS, handle: system.getRateLimit },
  { method: 'GET', path: '/clusters', roles: null, versions: GROUPS, handle: clusters.listAllClusters },

  { method: 'GET', path: '/orgs', roles: null, versions: GROUPS, handle: inventory.listOrganizations },
  { method: 'GET', path: ORG, roles: null, versions: GROUPS, handle: inventory.getOrganization },
  { method: 'GET', path: `${ORG}/groups`, roles: null, versions: GROUPS, handle: inventory.listOrganizationGroups },
  { method: 'GET', path: `${ORG}/events`, ...ORG_MEMBER, versions: GROUPS, handle: events.listEvents },
  { method: 'GET', path: `${ORG}/events/:eventId`, ...ORG_MEMBER, versions: GROUPS, handle: events.getEvent },

  ...API_KEY_ROUTES.map((operation) => ({ ...operation, versions: GROUPS })),

  { method: 'GET', path: `${ORG}/serviceAccounts`, ...ORG_READER, versions: SERVICE_ACCOUNTS, handle: accounts.listServiceAccounts },
  { method: 'POST', path: `${ORG}/serviceAccounts`, ...ORG_OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.createServiceAccount },
  { method: 'GET', path: ORG_ACCOUNT, ...ORG_READER, versions: SERVICE_ACCOUNTS, handle: accounts.getServiceAccount },
  { method: 'PATCH', path: ORG_ACCOUNT, ...ORG_OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.updateServiceAccount },
  { method: 'DELETE', path: ORG_ACCOUNT, ...ORG_OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.deleteServiceAccount },
  { method: 'GET', path: `${ORG_ACCOUNT}/accessList`, ...ORG_READER, versions: SERVICE_ACCOUNTS, handle: accessLists.listAccountEntries },
  { method: 'POST', path: `${ORG_ACCOUNT}/accessList`, ...ORG_OWNER, versions: SERVICE_ACCOUNTS, handle: accessLists.addAccountEntries },
  { method: 'DELETE', path: `${ORG_ACCOUNT}/accessList/:ipAddress`, ...ORG_OWNER, versions: SERVICE_ACCOUNTS, handle: accessLists.removeAccountEntry },
  { method: 'GET', path: `${ORG_ACCOUNT}/groups`, ...ORG_READER, versions: SERVICE_ACCOUNTS, handle: accounts.listServiceAccountGroups },
  { method: 'POST', path: `${ORG_ACCOUNT}/secrets`, ...ORG_OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.createServiceAccountSecret },
  { method: 'DELETE', path: `${ORG_ACCOUNT}/secrets/:secretId`, ...ORG_OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.deleteServiceAccountSecret },

  { method: 'GET', path: '/groups', roles: null, versions: GROUPS, handle: inventory.listGroups },
  { method: 'POST', path: '/groups', roles: null, versions: GROUPS, handle: groups.createGroup },
  { method: 'GET', path: '/groups/byName/:groupName', roles: null, versions: GROUPS, handle: inventory.getGroupByName },
  { method: 'GET', path: GROUP, roles: READER, versions: GROUPS, handle: inventory.getGroup },
  { method: 'PATCH', path: GROUP, roles: OWNER, versions: GROUPS, handle: groups.updateGroup },
  { method: 'DELETE', path: GROUP, roles: OWNER, versions: GROUPS, handle: groups.deleteGroup },
  { method: 'GET', path: `${GROUP}/events`, roles: READER, versions: GROUPS, handle: events.listEvents },
  { method: 'GET', path: `${GROUP}/events/:eventId`, roles: READER, versions: GROUPS, handle: events.getEvent },
  { method: 'GET', path: `${GROUP}/teams`, roles: READER, versions: GROUPS, handle: surroundings.listNothing },
  { method: 'GET', path: `${GROUP}/limits`, roles: READER, versions: GROUPS, handle: surroundings.listLimits },
  { method: 'GET', path: `${GROUP}/settings`, roles: READER, versions: GROUPS, handle: surroundings.getSettings },
  { method: 'GET', path: `${GROUP}/ipAddresses`, roles: READER, versions: GROUPS, handle: surroundings.getIpAddresses },
  { method: 'GET', path: `${GROUP}/managedSlowMs`, roles: READER, versions: GROUPS, handle: surroundings.getManagedSlowMs },
  { method: 'GET', path: `${GROUP}/containers`, roles: READER, versions: GROUPS, handle: surroundings.listNothing },
  { method: 'GET', path: `${GROUP}/containers/all`, roles: READER, versions: GROUPS, handle: surroundings.listNothing },

  { method: 'GET', path: `${GROUP}/serviceAccounts`, roles: READER, versions: SERVICE_ACCOUNTS, handle: accounts.listServiceAccounts },
  { method: 'POST', path: `${GROUP}/serviceAccounts`, roles: OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.createServiceAccount },
  { method: 'GET', path: GROUP_ACCOUNT, roles: READER, versions: SERVICE_ACCOUNTS, handle: accounts.getServiceAccount },
  { method: 'PATCH', path: GROUP_ACCOUNT, roles: OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.updateServiceAccount },
  { method: 'DELETE', path: GROUP_ACCOUNT, roles: OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.deleteServiceAccount },
  { method: 'POST', path: `${GROUP_ACCOUNT}:invite`, ...ORG_OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.inviteServiceAccount },
  { method: 'GET', path: `${GROUP_ACCOUNT}/accessList`, roles: READER, versions: SERVICE_ACCOUNTS, handle: accessLists.listAccountEntries },
  { method: 'POST', path: `${GROUP_ACCOUNT}/accessList`, roles: ACCESS, versions: SERVICE_ACCOUNTS, handle: accessLists.addAccountEntries },
  { method: 'DELETE', path: `${GROUP_ACCOUNT}/accessList/:ipAddress`, roles: ACCESS, versions: SERVICE_ACCOUNTS, handle: accessLists.removeAccountEntry },
  { method: 'POST', path: `${GROUP_ACCOUNT}/secrets`, roles: OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.createServiceAccountSecret },
  { method: 'DELETE', path: `${GROUP_ACCOUNT}/secrets/:secretId`, roles: OWNER, versions: SERVICE_ACCOUNTS, handle: accounts.deleteServiceAccountSecret },

  { method: 'GET', path: `${GROUP}/clusters`, roles: READER, versions: CLUSTERS, handle: inventory.listClusters },
  { method: 'POST', path: `${GROUP}/clusters`, roles: ['GROUP_CLUSTER_CREATOR'], versions: CLUSTER_WRITES, handle: clusters.createCluster },
  { method: 'GET', path: `${GROUP}/clusters/provider/regions`, roles: READER, versions: GROUPS, handle: surroundings.listNothing },
  { method: 'GET', path: CLUSTER, roles: READER, versions: CLUSTERS, handle: inventory.getCluster },
  { method: 'PATCH', path: CLUSTER, roles: ['GROUP_CLUSTER_MANAGER', 'GROUP_CLUSTER_RESILIENCE_TESTER', 'GROUP_REPLICA_SET_MANAGER'], versions: CLUSTER_WRITES, handle: clusters.updateCluster },
  { method: 'DELETE', path: CLUSTER, roles: OWNER, versions: CLUSTER_DELETE, handle: clusters.deleteCluster },
  { method: 'GET', path: `${CLUSTER}/status`, roles: READER, versions: GROUPS, handle: inventory.getClusterStatus },
  { method: 'GET', path: `${CLUSTER}/processArgs`, roles: READER, versions: PROCESS_ARGS, handle: clusters.getProcessArgs },
];
