// API keys and their access lists where an API has no versions: the same paths and roles at each of its doors.
import type { Operation } from '../../mms-routes.ts';
import * as accessLists from './access-lists.ts';
import * as keys from './api-keys.ts';

const ORG_KEYS = '/orgs/:orgId/apiKeys';
const ORG_KEY = `${ORG_KEYS}/:apiUserId`;
const GROUP_KEYS = '/groups/:groupId/apiKeys';
const GROUP_KEY = `${GROUP_KEYS}/:apiUserId`;

const ACCESS = ['GROUP_ACCESS_MANAGER'] as const;
const ORG_MEMBER = { roles: null, orgRoles: ['ORG_MEMBER'] } as const;
const ORG_OWNER = { roles: null, orgRoles: ['ORG_OWNER'] } as const;

export const API_KEY_ROUTES: readonly Operation[] = [
  { method: 'GET', path: ORG_KEYS, ...ORG_MEMBER, handle: keys.listApiKeys },
  { method: 'POST', path: ORG_KEYS, ...ORG_OWNER, handle: keys.createApiKey },
  { method: 'GET', path: ORG_KEY, ...ORG_MEMBER, handle: keys.getApiKey },
  { method: 'PATCH', path: ORG_KEY, ...ORG_OWNER, handle: keys.updateApiKey },
  { method: 'DELETE', path: ORG_KEY, ...ORG_OWNER, handle: keys.deleteApiKey },
  { method: 'GET', path: `${ORG_KEY}/accessList`, ...ORG_MEMBER, handle: accessLists.listKeyEntries },
  // The specification names no role for the writes: the owner's or the key itself, which the handler looks at.
  { method: 'POST', path: `${ORG_KEY}/accessList`, ...ORG_MEMBER, handle: accessLists.addKeyEntries },
  { method: 'GET', path: `${ORG_KEY}/accessList/:ipAddress`, ...ORG_MEMBER, handle: accessLists.getKeyEntry },
  { method: 'DELETE', path: `${ORG_KEY}/accessList/:ipAddress`, ...ORG_MEMBER, handle: accessLists.removeKeyEntry },
  { method: 'GET', path: GROUP_KEYS, roles: ['GROUP_READ_ONLY'], handle: keys.listApiKeys },
  { method: 'POST', path: GROUP_KEYS, roles: ACCESS, handle: keys.createApiKey },
  { method: 'POST', path: GROUP_KEY, roles: ['GROUP_OWNER'], handle: keys.assignApiKey },
  { method: 'PATCH', path: GROUP_KEY, roles: ACCESS, handle: keys.updateApiKey },
  { method: 'DELETE', path: GROUP_KEY, roles: ACCESS, handle: keys.deleteApiKey },
];
