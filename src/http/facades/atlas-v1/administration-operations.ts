// What Atlas v1.0 had around backups, answered as v2 answers it. Service accounts and rate limits came after it.
import { API_KEY_ROUTES } from '../../wire/atlas/credentials/operations.ts';
import * as clusters from '../../wire/atlas/clusters/handlers.ts';
import * as events from '../../wire/atlas/events/handlers.ts';
import * as groups from '../../wire/atlas/groups/handlers.ts';
import * as inventory from '../../wire/atlas/inventory/handlers.ts';
import * as surroundings from '../../wire/atlas/groups/surroundings.ts';
import * as system from '../../wire/atlas/system/handlers.ts';
import type { Operation } from '../../wire/mms-routes.ts';

const ORG = '/orgs/:orgId';
const GROUP = '/groups/:groupId';
const CLUSTER = `${GROUP}/clusters/:clusterName`;

const READER = ['GROUP_READ_ONLY'] as const;
const OWNER = ['GROUP_OWNER'] as const;
const ORG_MEMBER = { roles: null, orgRoles: ['ORG_MEMBER'] } as const;

export const ADMINISTRATION_OPERATIONS: readonly Operation[] = [
  ...API_KEY_ROUTES,
  { method: 'GET', path: '/', roles: null, handle: system.getSystemStatus },
  { method: 'GET', path: '/clusters', roles: null, handle: clusters.listAllClusters },
  { method: 'GET', path: '/orgs', roles: null, handle: inventory.listOrganizations },
  { method: 'GET', path: ORG, roles: null, handle: inventory.getOrganization },
  { method: 'GET', path: `${ORG}/groups`, roles: null, handle: inventory.listOrganizationGroups },
  { method: 'GET', path: `${ORG}/events`, ...ORG_MEMBER, handle: events.listEvents },
  { method: 'GET', path: `${ORG}/events/:eventId`, ...ORG_MEMBER, handle: events.getEvent },
  { method: 'GET', path: '/groups', roles: null, handle: inventory.listGroups },
  { method: 'POST', path: '/groups', roles: null, handle: groups.createGroup },
  { method: 'GET', path: '/groups/byName/:groupName', roles: null, handle: inventory.getGroupByName },
  { method: 'GET', path: GROUP, roles: READER, handle: inventory.getGroup },
  { method: 'PATCH', path: GROUP, roles: OWNER, handle: groups.updateGroup },
  { method: 'DELETE', path: GROUP, roles: OWNER, handle: groups.deleteGroup },
  { method: 'GET', path: `${GROUP}/events`, roles: READER, handle: events.listEvents },
  { method: 'GET', path: `${GROUP}/events/:eventId`, roles: READER, handle: events.getEvent },
  { method: 'GET', path: `${GROUP}/teams`, roles: READER, handle: surroundings.listNothing },
  { method: 'GET', path: `${GROUP}/limits`, roles: READER, handle: surroundings.listLimits },
  { method: 'GET', path: `${GROUP}/settings`, roles: READER, handle: surroundings.getSettings },
  { method: 'GET', path: `${GROUP}/ipAddresses`, roles: READER, handle: surroundings.getIpAddresses },
  { method: 'GET', path: `${GROUP}/managedSlowMs`, roles: READER, handle: surroundings.getManagedSlowMs },
  { method: 'GET', path: `${GROUP}/containers`, roles: READER, handle: surroundings.listNothing },
  { method: 'GET', path: `${GROUP}/containers/all`, roles: READER, handle: surroundings.listNothing },
  { method: 'GET', path: `${GROUP}/clusters`, roles: READER, handle: inventory.listClusters },
  { method: 'POST', path: `${GROUP}/clusters`, roles: ['GROUP_CLUSTER_CREATOR'], handle: clusters.createCluster },
  { method: 'GET', path: `${GROUP}/clusters/provider/regions`, roles: READER, handle: surroundings.listNothing },
  { method: 'GET', path: CLUSTER, roles: READER, handle: inventory.getCluster },
  { method: 'PATCH', path: CLUSTER, roles: ['GROUP_CLUSTER_MANAGER', 'GROUP_CLUSTER_RESILIENCE_TESTER', 'GROUP_REPLICA_SET_MANAGER'], handle: clusters.updateCluster },
  { method: 'DELETE', path: CLUSTER, roles: OWNER, handle: clusters.deleteCluster },
  { method: 'GET', path: `${CLUSTER}/status`, roles: READER, handle: inventory.getClusterStatus },
  { method: 'GET', path: `${CLUSTER}/processArgs`, roles: READER, handle: clusters.getProcessArgs },
];
