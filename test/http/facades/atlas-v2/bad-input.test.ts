import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkError } from '../../../support/check-schema.ts';
import { ORIGIN, startFacades, type Asked, type FacadeServer } from '../../../support/facade-server.ts';
import { SHOP_ID } from '../../../support/memory-services.ts';

const NOBODY = '0'.repeat(24);
const CLUSTER = `/groups/${SHOP_ID}/clusters/orders`;
const SNAPSHOTS = `${CLUSTER}/backup/snapshots`;
const ACCEPT = 'application/vnd.atlas.2023-01-01+json';

describe('bad input to Atlas v2', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const cases: readonly (readonly [string, string, Asked, number, string, readonly unknown[]])[] = [
    ['a malformed group', '/groups/xyz', {}, 404, 'INVALID_GROUP_ID', ['xyz']],
    ['an upper-case group', `/groups/${'A'.repeat(24)}`, {}, 404, 'INVALID_GROUP_ID', ['A'.repeat(24)]],
    ['an unknown group', `/groups/${NOBODY}/clusters`, {}, 404, 'GROUP_NOT_FOUND', [NOBODY]],
    ['an unknown cluster', `/groups/${SHOP_ID}/clusters/none`, {}, 404, 'CLUSTER_NOT_FOUND', ['none', SHOP_ID]],
    ['a cluster name off its pattern', `/groups/${SHOP_ID}/clusters/a%2Fb%20c`, {}, 404, 'CLUSTER_NOT_FOUND', ['a/b c', SHOP_ID]],
    ['a malformed organization', '/orgs/xyz', {}, 404, 'INVALID_ORG_ID', ['xyz']],
    ['an unknown organization', `/orgs/${NOBODY}/groups`, {}, 404, 'ORG_NOT_FOUND', [NOBODY]],
    ['a malformed snapshot', `${SNAPSHOTS}/xyz`, {}, 404, 'INVALID_SNAPSHOT_ID', ['xyz']],
    ['an unknown snapshot', `${SNAPSHOTS}/${NOBODY}`, {}, 404, 'SNAPSHOT_NOT_FOUND', [NOBODY, 'orders']],
    ['the deletion of an unknown snapshot', `${SNAPSHOTS}/${NOBODY}`, { method: 'DELETE' }, 404, 'SNAPSHOT_NOT_FOUND', [NOBODY, 'orders']],
    ['a malformed restore job', `${CLUSTER}/backup/restoreJobs/xyz`, {}, 404, 'INVALID_JOB_ID', ['xyz']],
    ['an unknown restore job', `${CLUSTER}/backup/restoreJobs/${NOBODY}`, {}, 404, 'RESTORE_JOB_NOT_FOUND', [NOBODY, 'orders']],
    ['page 0', `${SNAPSHOTS}?pageNum=0`, {}, 400, 'INVALID_QUERY_PARAMETER', ['pageNum']],
    ['a page of 501', `${SNAPSHOTS}?itemsPerPage=501`, {}, 400, 'INVALID_QUERY_PARAMETER', ['itemsPerPage']],
    ['a page of words', '/groups?itemsPerPage=many', {}, 400, 'INVALID_QUERY_PARAMETER', ['itemsPerPage']],
    ['an unknown path', `${CLUSTER}/backup/nothing`, {}, 404, 'RESOURCE_NOT_FOUND', [`/api/atlas/v2${CLUSTER}/backup/nothing`]],
    ['an unknown method', `${CLUSTER}/backup/restoreJobs`, { method: 'PUT' }, 404, 'RESOURCE_NOT_FOUND', [`/api/atlas/v2${CLUSTER}/backup/restoreJobs`]],
    ['broken JSON', SNAPSHOTS, { method: 'POST', body: '{"description":', headers: { 'content-type': 'application/json' } }, 400, 'MALFORMED_JSON', []],
    ['a list for an object', SNAPSHOTS, { method: 'POST', body: [] }, 400, 'INVALID_JSON', []],
    ['null for an object', SNAPSHOTS, { method: 'POST', body: 'null', headers: { 'content-type': 'application/json' } }, 400, 'INVALID_JSON', []],
    ['a text for an object', SNAPSHOTS, { method: 'POST', body: '"text"', headers: { 'content-type': 'application/json' } }, 400, 'INVALID_JSON', []],
    ['a wrong type', SNAPSHOTS, { method: 'POST', body: { retentionInDays: 'five' } }, 400, 'INVALID_JSON_ATTRIBUTE', ['retentionInDays']],
    ['a retention of nothing', SNAPSHOTS, { method: 'POST', body: { retentionInDays: 0 } }, 400, 'INVALID_ATTRIBUTE', ['retentionInDays']],
    ['a retention beyond dates', SNAPSHOTS, { method: 'POST', body: { retentionInDays: 2_147_483_647 } }, 400, 'INVALID_ATTRIBUTE', ['retentionInDays']],
    ['a misspelt attribute', SNAPSHOTS, { method: 'POST', body: { retentionindays: 5 } }, 400, 'INVALID_ATTRIBUTE', ['retentionindays']],
    ['a prototype for an attribute', SNAPSHOTS, { method: 'POST', body: '{"__proto__":{"a":1}}', headers: { 'content-type': 'application/json' } }, 400, 'MALFORMED_JSON', []],
    ['a form', SNAPSHOTS, { method: 'POST', body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'UNSUPPORTED_MEDIA_TYPE', ['application/x-www-form-urlencoded']],
    ['a body over 1 MiB', SNAPSHOTS, { method: 'POST', body: JSON.stringify({ description: 'x'.repeat(1_048_577) }), headers: { 'content-type': 'application/json' } }, 413, 'PAYLOAD_TOO_LARGE', ['1048576']],
  ];
  for (const [what, path, asked, status, errorCode, parameters] of cases) {
    test(`answers ${what} with ${status} ${errorCode}`, async () => {
      const answer = await facade.atlas(path, asked);
      assert.equal(answer.status, status, answer.text);
      assert.deepEqual([answer.json['error'], answer.json['errorCode'], answer.json['parameters']], [status, errorCode, parameters]);
      assert.deepEqual(Object.keys(answer.json), ['detail', 'error', 'errorCode', 'parameters', 'reason']);
      assert.equal(answer.headers['x-error-code'], errorCode);
      assert.match(String(answer.headers['content-type']), /^application\/json/);
      assert.deepEqual(checkError(answer.json), []);
      assert.ok(!String(answer.json['detail']).includes('%s'), 'every parameter was put in');
    });
  }

  test('takes a body in the versioned type', async () => {
    const { status } = await facade.atlas(SNAPSHOTS, { method: 'POST', body: '{}', headers: { 'content-type': `${ACCEPT}; charset=utf-8` } });
    assert.equal(status, 200);
  });

  for (const [what, body] of [['an unknown unit', { retentionUnit: 'days', retentionValue: 1 }], ['no value', { retentionUnit: 'DAYS' }], ['centuries', { retentionUnit: 'YEARS', retentionValue: 101 }], ['a negative value', { retentionUnit: 'DAYS', retentionValue: -1 }]] as const) {
    test(`refuses a new retention of ${what}`, async () => {
      const { json } = await facade.atlas(SNAPSHOTS, { method: 'POST', body: {} });
      assert.equal((await facade.atlas(`${SNAPSHOTS}/${String(json['id'])}`, { method: 'PATCH', body })).status, 400);
    });
  }

  for (const name of ['includeCount', 'pretty', 'envelope']) {
    test(`refuses ${name}=maybe before anything is done`, async () => {
      const before = facade.snapshots.size;
      const { status, json } = await facade.atlas(`${SNAPSHOTS}?${name}=maybe`, { method: 'POST', body: {} });
      assert.deepEqual([status, json['errorCode'], json['parameters']], [400, 'INVALID_QUERY_PARAMETER', [name]]);
      assert.equal(facade.snapshots.size, before);
    });
  }

  test('tells nothing of what broke inside', async () => {
    const { inventory } = facade.services;
    const kept = inventory.projects;
    Object.assign(inventory, { projects: async () => { throw new Error('password=hunter2 at db.internal'); } });
    const { status, json, text } = await facade.atlas('/groups');
    Object.assign(inventory, { projects: kept });
    assert.deepEqual([status, json['errorCode']], [500, 'UNEXPECTED_ERROR']);
    assert.ok(!text.includes('hunter2') && !text.includes('db.internal'));
  });

  test('sends the recorded body and one digest challenge to whoever shows no key', async () => {
    for (const headers of [{ authorization: '' }, { authorization: 'Bearer wrong' }, { authorization: 'Basic YTpi' }]) {
      const { status, text, headers: told } = await facade.atlas(SNAPSHOTS, { method: 'POST', body: '{"broken', headers: { 'content-type': 'application/json', ...headers } });
      assert.equal(status, 401);
      assert.equal(text, '{\n  "detail" : "You are not authorized for this resource.",\n  "error" : 401,\n  "errorCode" : "UNEXPECTED_ERROR",\n  "reason" : "Unauthorized"\n}');
      assert.match(String(told['www-authenticate']), /^Digest realm="MMS Public API", domain="", nonce="[^"]+", algorithm=MD5, qop="auth", stale=false$/);
      assert.match(String(told['content-type']), /^application\/json/);
    }
    assert.equal(facade.snapshots.size > 0 && [...facade.snapshots.values()].some(({ description }) => description === 'broken'), false);
  });

  test('never acts on a request without a key', async () => {
    const before = facade.snapshots.size;
    await facade.atlas(SNAPSHOTS, { method: 'POST', body: {}, headers: { authorization: '' } });
    assert.equal(facade.snapshots.size, before);
  });

  test('refuses an address that is not on the access list', async () => {
    const token = await facade.grant('elsewhere', [{ role: 'GROUP_OWNER', projectId: SHOP_ID }], ['203.0.113.0/24']);
    const { status, json } = await facade.atlas('/groups', { headers: { authorization: `Bearer ${token}` } });
    assert.equal(status, 403);
    assert.deepEqual(json, {
      detail: 'IP address 127.0.0.1 is not allowed to access this resource.', error: 403, errorCode: 'IP_ADDRESS_NOT_ON_ACCESS_LIST', parameters: ['127.0.0.1'], reason: 'Forbidden',
    });
  });

  test('counts requests down and refuses beyond the limit, with the time to wait', async () => {
    const token = await facade.grant('busy', [{ role: 'GROUP_READ_ONLY', projectId: SHOP_ID }]);
    const ask = () => facade.atlas('/groups', { headers: { authorization: `Bearer ${token}` } });
    const first = await ask();
    assert.deepEqual([first.headers['ratelimit-limit'], first.headers['ratelimit-remaining']], ['1200', '1199']);
    for (let count = 1; count < 1200; count += 1) await ask();
    const refused = await ask();
    assert.deepEqual([refused.status, refused.json['errorCode'], refused.headers['retry-after'], refused.headers['ratelimit-remaining']], [429, 'RATE_LIMITED', '1', '0']);
    facade.clock.advance(1000);
    assert.equal((await ask()).status, 200);
  });

  test('names its version on every answer to someone known', async () => {
    const { headers } = await facade.atlas(`/groups/${NOBODY}`);
    assert.equal(headers['x-mongodb-service-version'], `gitHash=${'a'.repeat(40)}; versionString=0.1.0`);
    assert.equal((await facade.ask(`${ORIGIN}/api/atlas/v2/groups`, { headers: { authorization: '' } })).headers['x-mongodb-service-version'], undefined);
  });
});
