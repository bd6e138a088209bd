// API keys and service accounts made by API: they prove at once who they are, and nothing any more once they are gone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../../../src/foundation/clock.ts';
import { createCredentials } from '../../../../src/services/credentials.ts';
import { checkAgainst } from '../../../support/check-schema.ts';
import { openAtlasWorld, ORG, OWNER, SHOP, type AtlasWorld, type Key, type Said } from '../../../support/atlas-world.ts';

let world: AtlasWorld;
before(async () => { world = await openAtlasWorld(); });
after(() => world?.close());

const keyOf = ({ json }: Said): Key & { readonly id: string } => ({ id: String(json['id']), publicKey: String(json['publicKey']), privateKey: String(json['privateKey']) });
const codeOf = ({ status, json }: Said): string => `${status} ${String(json['errorCode'] ?? '')}`.trim();
const resultsOf = ({ json }: Said): Record<string, unknown>[] => json['results'] as Record<string, unknown>[];

async function makeKey(path: string, roles: readonly string[], by: Key = OWNER): Promise<Key & { readonly id: string }> {
  const made = await world.say(by, 'POST', path, { body: { desc: 'made by a test', roles } });
  assert.equal(made.status, 200, made.text);
  assert.deepEqual(checkAgainst('createOrgApiKey', '2023-01-01', made.json), []);
  return keyOf(made);
}

describe('API keys', () => {
  test('work at once, are shown without their secret, and end at once', async () => {
    const key = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_READ_ONLY']);
    assert.match(key.privateKey, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal((await world.say(key, 'GET', `/groups/${SHOP}`)).status, 200);
    const read = await world.say(OWNER, 'GET', `/orgs/${ORG}/apiKeys/${key.id}`);
    assert.deepEqual(checkAgainst('getOrgApiKey', '2023-01-01', read.json), []);
    assert.deepEqual([read.json['publicKey'], read.json['privateKey'], read.json['roles']], [key.publicKey, '********-****-****-************', [{ orgId: ORG, roleName: 'ORG_READ_ONLY' }]]);
    const listed = await world.say(OWNER, 'GET', `/orgs/${ORG}/apiKeys?itemsPerPage=500`);
    assert.deepEqual(checkAgainst('listOrgApiKeys', '2023-01-01', listed.json), []);
    assert.ok(resultsOf(listed).some(({ id }) => id === key.id));
    assert.ok(!(await world.dump('api_keys')).includes(key.privateKey));
    assert.equal((await world.say(OWNER, 'DELETE', `/orgs/${ORG}/apiKeys/${key.id}`)).status, 204);
    assert.equal((await world.say(key, 'GET', `/groups/${SHOP}`)).status, 401);
    assert.equal(codeOf(await world.say(OWNER, 'GET', `/orgs/${ORG}/apiKeys/${key.id}`)), '404 API_KEY_NOT_FOUND');
  });

  test('change what they may with their roles, at the next request', async () => {
    const key = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_MEMBER']);
    assert.equal(codeOf(await world.say(key, 'GET', `/groups/${SHOP}`)), '401 USER_UNAUTHORIZED');
    const assigned = await world.say(OWNER, 'POST', `/groups/${SHOP}/apiKeys/${key.id}`, { body: [{ roles: ['GROUP_READ_ONLY'] }] });
    assert.equal(assigned.status, 200, assigned.text);
    assert.equal((await world.say(key, 'GET', `/groups/${SHOP}`)).status, 200);
    const changed = await world.say(OWNER, 'PATCH', `/groups/${SHOP}/apiKeys/${key.id}`, { body: { roles: ['GROUP_BACKUP_CREATOR'], desc: 'nightly' } });
    assert.deepEqual([changed.json['desc'], changed.json['roles']], ['nightly', [{ groupId: SHOP, roleName: 'GROUP_BACKUP_CREATOR' }, { orgId: ORG, roleName: 'ORG_MEMBER' }]]);
    assert.equal((await world.say(OWNER, 'DELETE', `/groups/${SHOP}/apiKeys/${key.id}`)).status, 204);
    assert.equal(codeOf(await world.say(key, 'GET', `/groups/${SHOP}`)), '401 USER_UNAUTHORIZED');
    assert.equal((await world.say(key, 'GET', `/orgs/${ORG}`)).status, 200, 'it is still one of the organization');
  });

  test('are bound to the addresses of their list', async () => {
    const key = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_READ_ONLY']);
    const path = `/orgs/${ORG}/apiKeys/${key.id}/accessList`;
    const added = await world.say(OWNER, 'POST', path, { body: [{ ipAddress: '203.0.113.7' }, { cidrBlock: '198.51.100.0/24' }] });
    assert.deepEqual(checkAgainst('createOrgApiKeyAccessListEntry', '2023-01-01', added.json), []);
    assert.deepEqual(resultsOf(added).map(({ ipAddress, cidrBlock }) => [ipAddress, cidrBlock]), [['203.0.113.7', '203.0.113.7/32'], [undefined, '198.51.100.0/24']]);
    assert.equal(codeOf(await world.say(key, 'GET', `/groups/${SHOP}`)), '403 IP_ADDRESS_NOT_ON_ACCESS_LIST');
    assert.equal((await world.say(key, 'GET', `/groups/${SHOP}`, { from: '198.51.100.9' })).status, 200);
    // The key itself may change its list, from where it may be used.
    assert.equal((await world.say(key, 'DELETE', `${path}/198.51.100.0%2F24`, { from: '203.0.113.7' })).status, 204);
    assert.equal(codeOf(await world.say(key, 'GET', `/groups/${SHOP}`, { from: '198.51.100.9' })), '403 IP_ADDRESS_NOT_ON_ACCESS_LIST');
    const one = await world.say(OWNER, 'GET', `${path}/203.0.113.7`);
    assert.deepEqual(checkAgainst('getOrgApiKeyAccessListEntry', '2023-01-01', one.json), []);
    assert.equal(codeOf(await world.say(OWNER, 'GET', `${path}/192.0.2.1`)), '404 IP_ADDRESS_NOT_FOUND_IN_API_KEY_ACCESS_LIST');
    assert.equal(codeOf(await world.say(OWNER, 'POST', path, { body: [{ cidrBlock: '10.0.0.0/33' }] })), '400 INVALID_IP_ADDRESS_OR_CIDR_NOTATION');
    assert.equal(codeOf(await world.say(await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_READ_ONLY']), 'POST', path, { body: [{ ipAddress: '127.0.0.1' }] })), '401 USER_UNAUTHORIZED');
  });

  test('are good nowhere once the last address was taken out of their list, until another is put in', async () => {
    const key = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_READ_ONLY']);
    const path = `/orgs/${ORG}/apiKeys/${key.id}/accessList`;
    const ask = (from: string): Promise<string> => world.say(key, 'GET', `/groups/${SHOP}`, { from }).then(codeOf);
    await world.say(OWNER, 'POST', path, { body: [{ ipAddress: '203.0.113.7' }] });
    assert.equal((await world.say(OWNER, 'DELETE', `${path}/203.0.113.7`)).status, 204);
    const { json } = await world.say(OWNER, 'GET', path);
    assert.deepEqual([json['results'], json['totalCount']], [[], 0]);
    for (const from of ['203.0.113.7', '198.51.100.9', '127.0.0.1']) assert.equal(await ask(from), '403 IP_ADDRESS_NOT_ON_ACCESS_LIST', from);
    assert.equal(codeOf(await world.say(OWNER, 'DELETE', `${path}/203.0.113.7`)), '404 IP_ADDRESS_NOT_FOUND_IN_API_KEY_ACCESS_LIST');
    assert.deepEqual(resultsOf(await world.say(OWNER, 'POST', path, { body: [{ ipAddress: '198.51.100.9' }] })).map(({ ipAddress }) => ipAddress), ['198.51.100.9']);
    assert.equal((await world.say(key, 'GET', `/groups/${SHOP}`, { from: '198.51.100.9' })).status, 200);
    assert.equal(await ask('203.0.113.7'), '403 IP_ADDRESS_NOT_ON_ACCESS_LIST');
  });

  test('do not take the address out of their own list that they ask from', async () => {
    const key = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_READ_ONLY']);
    const path = `/orgs/${ORG}/apiKeys/${key.id}/accessList`;
    await world.say(OWNER, 'POST', path, { body: [{ ipAddress: '203.0.113.7' }, { cidrBlock: '198.51.100.0/24' }, { cidrBlock: '203.0.113.0/30' }] });
    const removed = (entry: string, from: string): Promise<number | string> => world.say(key, 'DELETE', `${path}/${encodeURIComponent(entry)}`, { from }).then((answer) => (answer.status === 204 ? 204 : codeOf(answer)));
    const refused = await world.say(key, 'DELETE', `${path}/203.0.113.7`, { from: '203.0.113.7' });
    assert.deepEqual([codeOf(refused), refused.json['detail']], ['400 CANNOT_REMOVE_CALLER_FROM_ACCESS_LIST', 'Cannot remove caller\'s IP address 203.0.113.7 from access list.']);
    assert.equal(await removed('198.51.100.0/24', '198.51.100.9'), '400 CANNOT_REMOVE_CALLER_FROM_ACCESS_LIST', 'within a block');
    assert.equal(await removed('198.51.100.0/24', '203.0.113.7'), 204);
    await world.say(OWNER, 'POST', path, { body: [{ cidrBlock: '203.0.113.0/24' }] });
    assert.equal(await removed('203.0.113.7', '203.0.113.7'), 204, 'another entry has the address');
  });

  test('never get more than who makes them has', async () => {
    const manager = await makeKey(`/groups/${SHOP}/apiKeys`, ['GROUP_ACCESS_MANAGER']);
    const owner = await makeKey(`/groups/${SHOP}/apiKeys`, ['GROUP_OWNER']);
    assert.equal(codeOf(await world.say(manager, 'POST', `/groups/${SHOP}/apiKeys`, { body: { desc: 'x', roles: ['GROUP_OWNER'] } })), '403 CANNOT_GRANT_ROLES');
    assert.equal(codeOf(await world.say(manager, 'PATCH', `/groups/${SHOP}/apiKeys/${manager.id}`, { body: { roles: ['GROUP_OWNER'] } })), '403 CANNOT_GRANT_ROLES');
    assert.equal(codeOf(await world.say(manager, 'PATCH', `/groups/${SHOP}/apiKeys/${owner.id}`, { body: { roles: ['GROUP_READ_ONLY'] } })), '403 CANNOT_GRANT_ROLES');
    assert.equal(codeOf(await world.say(manager, 'DELETE', `/groups/${SHOP}/apiKeys/${owner.id}`)), '403 CANNOT_GRANT_ROLES');
    const reader = await makeKey(`/groups/${SHOP}/apiKeys`, ['GROUP_READ_ONLY'], manager);
    assert.equal((await world.say(reader, 'GET', `/groups/${SHOP}`)).status, 200);
    for (const role of ['ORG_OWNER', 'GLOBAL_OWNER', 'nothing']) assert.equal(codeOf(await world.say(OWNER, 'POST', `/groups/${SHOP}/apiKeys`, { body: { desc: 'x', roles: [role] } })), '400 INVALID_ENUM_VALUE');
  });

  test('leave an organization its last owner', async () => {
    const [own] = resultsOf(await world.say(OWNER, 'GET', `/orgs/${ORG}/apiKeys`)).filter(({ publicKey }) => publicKey === OWNER.publicKey);
    const path = `/orgs/${ORG}/apiKeys/${String(own?.['id'])}`;
    assert.equal(codeOf(await world.say(OWNER, 'DELETE', path)), '409 CANNOT_REMOVE_LAST_ORG_OWNER');
    assert.equal(codeOf(await world.say(OWNER, 'PATCH', path, { body: { roles: ['ORG_MEMBER'] } })), '409 CANNOT_REMOVE_LAST_ORG_OWNER');
    const second = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_OWNER']);
    const third = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_OWNER']);
    // Two owners that remove each other at once: one of both stays, whoever is first.
    const answers = await Promise.all([world.say(second, 'DELETE', `/orgs/${ORG}/apiKeys/${third.id}`), world.say(third, 'DELETE', `/orgs/${ORG}/apiKeys/${second.id}`)]);
    assert.ok(answers.some(({ status }) => status === 204), answers.map(codeOf).join());
    assert.equal((await world.say(OWNER, 'GET', '/')).status, 200);
  });

  test('give nothing any more to an owner who is demoted while his request waits', async () => {
    const owner = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_OWNER']);
    const credentials = createCredentials({ catalog: world.catalog, clock: systemClock });
    const principal = { kind: 'apiKey', id: owner.id, name: owner.publicKey, orgId: ORG, grants: [{ role: 'ORG_OWNER', orgId: ORG }] } as const;
    const place = { orgId: ORG, projectId: null };
    const asked: Promise<unknown>[] = [];
    await world.catalog.transaction(async (tx) => {
      await tx.organizations.hold(ORG);
      asked.push(
        credentials.create({ kind: 'apiKey', place, description: 'too late', roles: ['ORG_OWNER'], principal }),
        credentials.allow({ kind: 'apiKey', place, reference: owner.id, entries: ['192.0.2.1'], principal }),
      );
      await tx.roleGrants.removeAt('apiKey', owner.id, { orgId: ORG });
    });
    for (const each of await Promise.allSettled(asked)) assert.equal(each.status === 'rejected' ? (each.reason as { code?: string }).code : each.status, 'GRANT_TOO_WIDE');
    assert.ok(!resultsOf(await world.say(OWNER, 'GET', `/orgs/${ORG}/apiKeys?itemsPerPage=500`)).some(({ desc }) => desc === 'too late'));
  });

  test('tell who asks at the root', async () => {
    const root = await world.say(OWNER, 'GET', '/');
    assert.deepEqual(checkAgainst('getSystemStatus', '2023-01-01', root.json), []);
    assert.equal((root.json['apiKey'] as Record<string, unknown>)['publicKey'], OWNER.publicKey);
    assert.deepEqual((await world.say(OWNER, 'GET', '/api/private/ipinfo', { from: '203.0.113.9' })).json, { currentIpv4Address: '203.0.113.9' });
  });
});

describe('service accounts', () => {
  const make = async (path: string, roles: readonly string[], by: Key = OWNER): Promise<{ readonly clientId: string; readonly secret: string; readonly secretId: string }> => {
    const made = await world.say(by, 'POST', path, { body: { name: 'ci', description: 'made by a test', roles, secretExpiresAfterHours: 8 } });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(checkAgainst(path.startsWith('/orgs/') ? 'createOrgServiceAccount' : 'createGroupServiceAccount', '2024-08-05', made.json), []);
    const [secret] = made.json['secrets'] as Record<string, string>[];
    return { clientId: String(made.json['clientId']), secret: secret?.['secret'] ?? '', secretId: secret?.['id'] ?? '' };
  };

  test('get tokens with their secret, which is kept as a hash and shown once', async () => {
    const account = await make(`/orgs/${ORG}/serviceAccounts`, ['ORG_READ_ONLY']);
    const given = await world.token(account.clientId, account.secret);
    assert.equal(given.status, 200, given.text);
    const token = { token: String(given.json['access_token']) };
    assert.equal((await world.say(token, 'GET', `/groups/${SHOP}`)).status, 200);
    const read = await world.say(OWNER, 'GET', `/orgs/${ORG}/serviceAccounts/${account.clientId}`);
    assert.deepEqual(checkAgainst('getOrgServiceAccount', '2024-08-05', read.json), []);
    const [secret] = read.json['secrets'] as Record<string, string>[];
    assert.deepEqual([secret?.['secret'], secret?.['maskedSecretValue'], typeof secret?.['lastUsedAt']], [undefined, `mdb_sa_sk_****${account.secret.slice(-4)}`, 'string']);
    assert.ok(!(await world.dump('service_account_secrets')).includes(account.secret));
    assert.equal((await world.say(OWNER, 'DELETE', `/orgs/${ORG}/serviceAccounts/${account.clientId}`)).status, 204);
    assert.equal((await world.say(token, 'GET', `/groups/${SHOP}`)).status, 401, 'a token dies with its account');
    assert.equal((await world.token(account.clientId, account.secret)).json['error'], 'invalid_client');
  });

  test('rotate: the new secret works beside the old one until that is deleted', async () => {
    const account = await make(`/orgs/${ORG}/serviceAccounts`, ['ORG_MEMBER']);
    const path = `/orgs/${ORG}/serviceAccounts/${account.clientId}/secrets`;
    const added = await world.say(OWNER, 'POST', path, { body: { secretExpiresAfterHours: 24 } });
    assert.equal(added.status, 201, added.text);
    assert.deepEqual(checkAgainst('createOrgServiceAccountSecret', '2024-08-05', added.json), []);
    assert.equal(codeOf(await world.say(OWNER, 'POST', path, { body: { secretExpiresAfterHours: 24 } })), '400 SERVICE_ACCOUNT_SECRETS_LIMIT_REACHED');
    assert.equal(codeOf(await world.say(OWNER, 'POST', path, { body: { secretExpiresAfterHours: 1 } })), '400 INVALID_ATTRIBUTE');
    for (const secret of [account.secret, String(added.json['secret'])]) assert.equal((await world.token(account.clientId, secret)).status, 200);
    assert.equal((await world.say(OWNER, 'DELETE', `${path}/${account.secretId}`)).status, 204);
    assert.equal((await world.token(account.clientId, account.secret)).status, 401);
    assert.equal((await world.token(account.clientId, String(added.json['secret']))).status, 200);
    assert.equal(codeOf(await world.say(OWNER, 'DELETE', `${path}/${account.secretId}`)), '404 RESOURCE_NOT_FOUND');
  });

  test('are invited into a group, told where they stand, and taken out', async () => {
    const account = await make(`/orgs/${ORG}/serviceAccounts`, ['ORG_MEMBER']);
    const invited = await world.say(OWNER, 'POST', `/groups/${SHOP}/serviceAccounts/${account.clientId}:invite`, { body: { roles: ['GROUP_READ_ONLY'] } });
    assert.deepEqual(checkAgainst('inviteGroupServiceAccount', '2024-08-05', invited.json), []);
    assert.deepEqual(invited.json['roles'], ['GROUP_READ_ONLY']);
    const groups = await world.say(OWNER, 'GET', `/orgs/${ORG}/serviceAccounts/${account.clientId}/groups`);
    assert.deepEqual(checkAgainst('getOrgServiceAccountGroups', '2024-08-05', groups.json), []);
    assert.deepEqual(resultsOf(groups), [{ groupId: SHOP, roles: ['GROUP_READ_ONLY'] }]);
    const list = await world.say(OWNER, 'GET', `/groups/${SHOP}/serviceAccounts`);
    assert.deepEqual(resultsOf(list).map(({ clientId }) => clientId), [account.clientId]);
    assert.equal((await world.say(OWNER, 'DELETE', `/groups/${SHOP}/serviceAccounts/${account.clientId}`)).status, 204);
    assert.equal(codeOf(await world.say(OWNER, 'GET', `/groups/${SHOP}/serviceAccounts/${account.clientId}`)), '404 SERVICE_ACCOUNT_NOT_FOUND');
    assert.equal((await world.token(account.clientId, account.secret)).status, 200);
    assert.equal(codeOf(await world.say(OWNER, 'POST', `/groups/${SHOP}/serviceAccounts/${account.clientId}:banish`, { body: { roles: ['GROUP_READ_ONLY'] } })), '404 RESOURCE_NOT_FOUND');
  });

  test('give no way up: who owns a group makes no secret for an account that may do more', async () => {
    const owner = await makeKey(`/groups/${SHOP}/apiKeys`, ['GROUP_OWNER']);
    const account = await make(`/orgs/${ORG}/serviceAccounts`, ['ORG_OWNER']);
    await world.say(OWNER, 'POST', `/groups/${SHOP}/serviceAccounts/${account.clientId}:invite`, { body: { roles: ['GROUP_READ_ONLY'] } });
    const path = `/groups/${SHOP}/serviceAccounts/${account.clientId}`;
    assert.equal(codeOf(await world.say(owner, 'POST', `${path}/secrets`, { body: { secretExpiresAfterHours: 8 } })), '403 CANNOT_GRANT_ROLES');
    assert.equal(codeOf(await world.say(owner, 'POST', `${path}/accessList`, { body: [{ ipAddress: '192.0.2.1' }] })), '403 CANNOT_GRANT_ROLES');
    const own = await make(`/groups/${SHOP}/serviceAccounts`, ['GROUP_READ_ONLY'], owner);
    const added = await world.say(owner, 'POST', `/groups/${SHOP}/serviceAccounts/${own.clientId}/accessList`, { body: [{ ipAddress: '192.0.2.1' }] });
    assert.deepEqual(checkAgainst('createGroupServiceAccountAccessList', '2024-08-05', added.json), []);
    const { json } = await world.token(own.clientId, own.secret);
    assert.equal(codeOf(await world.say({ token: String(json['access_token']) }, 'GET', `/groups/${SHOP}`)), '403 IP_ADDRESS_NOT_ON_ACCESS_LIST');
    assert.equal((await world.say(owner, 'DELETE', `/groups/${SHOP}/serviceAccounts/${own.clientId}/accessList/192.0.2.1`)).status, 204);
    assert.equal(codeOf(await world.say({ token: String(json['access_token']) }, 'GET', `/groups/${SHOP}`)), '403 IP_ADDRESS_NOT_ON_ACCESS_LIST', 'an emptied list opens nothing');
  });

  test('do not take the address out of their own list that they ask from', async () => {
    const account = await make(`/orgs/${ORG}/serviceAccounts`, ['ORG_OWNER']);
    const path = `/orgs/${ORG}/serviceAccounts/${account.clientId}/accessList`;
    assert.equal((await world.say(OWNER, 'POST', path, { body: [{ ipAddress: '127.0.0.1' }] })).status, 200);
    const token = String((await world.token(account.clientId, account.secret)).json['access_token']);
    assert.equal(codeOf(await world.say({ token }, 'DELETE', `${path}/127.0.0.1`)), '400 CANNOT_REMOVE_CALLER_FROM_ACCESS_LIST');
    assert.equal((await world.say({ token }, 'GET', path)).json['totalCount'], 1);
  });
});

describe('events', () => {
  test('tell each change that was done, by whom and from where, to the organization and the group it belongs to', async () => {
    const made = await world.say(OWNER, 'POST', `/groups/${SHOP}/apiKeys`, { body: { desc: 'for the audit', roles: ['GROUP_READ_ONLY'] }, from: '203.0.113.5' });
    await world.say(OWNER, 'POST', `/groups/${SHOP}/apiKeys`, { body: { desc: 'refused', roles: ['nothing'] } });
    const listed = await world.say(OWNER, 'GET', `/groups/${SHOP}/events?itemsPerPage=1`);
    const [event] = resultsOf(listed);
    assert.deepEqual([event?.['eventTypeName'], event?.['publicKey'], event?.['remoteAddress'], event?.['groupId'], event?.['orgId']], ['API_KEY_CREATED', OWNER.publicKey, '203.0.113.5', SHOP, ORG]);
    assert.match(String(event?.['id']), /^[0-9a-f]{24}$/);
    assert.deepEqual((await world.say(OWNER, 'GET', `/groups/${SHOP}/events/${String(event?.['id'])}`)).json, event);
    assert.ok(!listed.text.includes(keyOf(made).privateKey));
    await world.say(OWNER, 'DELETE', `/orgs/${ORG}/apiKeys/${keyOf(made).id}`);
    const deleted = await world.say(OWNER, 'GET', `/orgs/${ORG}/events?eventType=API_KEY_DELETED&minDate=2020-01-01T00:00:00Z&itemsPerPage=500`);
    assert.ok(resultsOf(deleted).length > 0 && resultsOf(deleted).every(({ eventTypeName }) => eventTypeName === 'API_KEY_DELETED'));
    assert.equal((await world.say(OWNER, 'GET', `/orgs/${ORG}/events?maxDate=2020-01-01T00:00:00Z`)).json['totalCount'], 0);
    assert.equal(codeOf(await world.say(OWNER, 'GET', `/orgs/${ORG}/events?minDate=yesterday`)), '400 INVALID_QUERY_PARAMETER');
    assert.equal(codeOf(await world.say(OWNER, 'GET', `/orgs/${ORG}/events/${'0'.repeat(24)}`)), '404 EVENT_NOT_FOUND');
    assert.equal((await world.say(OWNER, 'GET', `/api/atlas/v1.0/groups/${SHOP}/events?itemsPerPage=1`)).status, 200);
  });

  test('of groups that he holds no role in are not told to a member of the organization', async () => {
    const other = String((await world.say(OWNER, 'POST', '/groups', { body: { name: 'hidden', orgId: ORG } })).json['id']);
    const reader = await makeKey(`/groups/${SHOP}/apiKeys`, ['GROUP_READ_ONLY']);
    await world.say(OWNER, 'POST', `/groups/${other}/apiKeys`, { body: { desc: 'x', roles: ['GROUP_READ_ONLY'] } });
    const groupsTold = async (by: Key): Promise<readonly unknown[]> => [...new Set(resultsOf(await world.say(by, 'GET', `/orgs/${ORG}/events?itemsPerPage=500`)).map(({ groupId }) => groupId))];
    const member = await makeKey(`/orgs/${ORG}/apiKeys`, ['ORG_MEMBER']);
    assert.deepEqual([await groupsTold(member), (await groupsTold(reader)).includes(SHOP), (await groupsTold(reader)).includes(other)], [[undefined], true, false]);
    const [hidden] = resultsOf(await world.say(OWNER, 'GET', `/groups/${other}/events?eventType=API_KEY_CREATED`));
    const path = `/orgs/${ORG}/events/${String(hidden?.['id'])}`;
    assert.deepEqual([codeOf(await world.say(member, 'GET', path)), (await world.say(OWNER, 'GET', path)).status], ['404 EVENT_NOT_FOUND', 200]);
    for (const role of ['ORG_OWNER', 'ORG_READ_ONLY']) assert.ok((await groupsTold(await makeKey(`/orgs/${ORG}/apiKeys`, [role]))).includes(other), role);
  });
});
