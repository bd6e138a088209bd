// What the Atlas CLI and the Terraform provider send around compliance and keys, as their sources of August 2026 have it, over real services.
// What needs a MongoDB is in test/e2e/atlas-client-flows.test.ts.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openAtlasWorld, ORG, OWNER, SHOP, type AtlasWorld, type Said } from '../../../support/atlas-world.ts';

const AUTHORIZED = { authorizedEmail: 'first.last@example.com', authorizedUserFirstName: 'First', authorizedUserLastName: 'Last' };

let world: AtlasWorld;
const clusterId = '5f0000000000000000000005';
before(async () => {
  world = await openAtlasWorld();
  await world.catalog.clusters.insert({ id: clusterId, projectId: SHOP, name: 'orders', uri: 'mongodb://127.0.0.1:1/', hosts: ['127.0.0.1:1'] });
});
after(() => world?.close());

const resultsOf = ({ json }: Said): Record<string, unknown>[] => json['results'] as Record<string, unknown>[];
/** As Go's SDK: one media type for what is sent and what is wanted, a fresh challenge for each call. */
const client = (agent: string) => (method: Parameters<AtlasWorld['say']>[1], path: string, version: string, body?: unknown): Promise<Said> =>
  world.say(OWNER, method, path, { version, headers: { 'user-agent': agent, ...(body === undefined ? {} : { 'content-type': `application/vnd.atlas.${version}+json` }) }, ...(body === undefined ? {} : { body }) });
const cli = client('atlascli/1.54.0 (linux;amd64;binary)');
const terraform = client('terraform-provider-mongodbatlas/2.1.0 Terraform/1.11.4');

async function group(name: string): Promise<string> {
  const made = await cli('POST', '/groups', '2023-01-01', { name, orgId: ORG, withDefaultAlertsSettings: true });
  assert.ok(made.status < 300, made.text);
  return String(made.json['id']);
}

describe('a compliance policy', () => {
  test('is enabled bare by the CLI, and built up by reading it and sending all of it back', async () => {
    const path = `/groups/${await group('guarded-by-cli')}/backupCompliancePolicy`;
    const change = async (edit: (policy: Record<string, unknown>) => void): Promise<Record<string, unknown>> => {
      const { json } = await cli('GET', path, '2023-10-01');
      // What Go decodes of null is left out again.
      const policy = Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
      edit(policy);
      const put = await cli('PUT', `${path}?overwriteBackupPolicies=true`, '2023-10-01', policy);
      assert.equal(put.status, 200, put.text);
      return put.json;
    };
    assert.equal((await cli('GET', path, '2023-10-01')).json['projectId'], undefined, 'none is read as none');
    const enabled = await cli('PUT', `${path}?overwriteBackupPolicies=true`, '2023-10-01', { ...AUTHORIZED, projectId: path.split('/')[2] });
    assert.deepEqual([enabled.status, enabled.json['state'], enabled.json['scheduledPolicyItems']], [200, 'ACTIVE', []], enabled.text);
    assert.deepEqual((await change((policy) => { policy['copyProtectionEnabled'] = true; }))['copyProtectionEnabled'], true);
    await change((policy) => { policy['encryptionAtRestEnabled'] = true; });
    await change((policy) => { policy['onDemandPolicyItem'] = { frequencyInterval: 0, frequencyType: 'ondemand', retentionUnit: 'weeks', retentionValue: 2 }; });
    await change((policy) => { policy['scheduledPolicyItems'] = [{ frequencyInterval: 6, frequencyType: 'hourly', retentionUnit: 'days', retentionValue: 7 }]; });
    const first = (await cli('GET', path, '2023-10-01')).json['scheduledPolicyItems'] as { readonly id: string }[];
    const grown = await change((policy) => { policy['scheduledPolicyItems'] = [...(policy['scheduledPolicyItems'] as object[]), { frequencyInterval: 1, frequencyType: 'weekly', retentionUnit: 'months', retentionValue: 2 }]; });
    assert.deepEqual([(grown['scheduledPolicyItems'] as { id: string }[]).length, (grown['scheduledPolicyItems'] as { id: string }[])[0]?.id], [2, first[0]?.id], 'what was there keeps its id');
    const pit = await change((policy) => { policy['pitEnabled'] = true; policy['restoreWindowDays'] = 1; });
    assert.deepEqual([pit['pitEnabled'], pit['restoreWindowDays'], pit['copyProtectionEnabled'], pit['encryptionAtRestEnabled']], [true, 1, true, true]);
  });

  test('is made, changed and read by Terraform, whose items have no ids, and is not destroyed', async () => {
    const path = `/groups/${await group('guarded-by-terraform')}/backupCompliancePolicy`;
    const policy = {
      ...AUTHORIZED, projectId: path.split('/')[2], copyProtectionEnabled: false, encryptionAtRestEnabled: false, pitEnabled: false, restoreWindowDays: 0,
      onDemandPolicyItem: { frequencyInterval: 0, frequencyType: 'ondemand', retentionUnit: 'days', retentionValue: 3 },
      scheduledPolicyItems: [{ frequencyInterval: 6, frequencyType: 'hourly', retentionUnit: 'days', retentionValue: 7 }, { frequencyInterval: 1, frequencyType: 'daily', retentionUnit: 'days', retentionValue: 7 }],
    };
    for (const sent of [policy, { ...policy, restoreWindowDays: 5, pitEnabled: true }]) {
      const put = await terraform('PUT', `${path}?overwriteBackupPolicies=false`, '2023-10-01', sent);
      assert.equal(put.status, 200, put.text);
      const { json } = await terraform('GET', path, '2023-10-01');
      // What is read has to be what was sent, else the next plan has a change.
      const { onDemandPolicyItem, scheduledPolicyItems, ...plain } = sent;
      for (const [name, value] of Object.entries(plain)) assert.deepEqual(json[name], value, name);
      const { id: _, ...onDemand } = json['onDemandPolicyItem'] as Record<string, unknown>;
      assert.deepEqual([onDemand, (json['scheduledPolicyItems'] as Record<string, unknown>[]).map(({ id: _id, ...item }) => item)], [onDemandPolicyItem, scheduledPolicyItems]);
    }
    const destroyed = await terraform('DELETE', path, '2024-11-13');
    assert.deepEqual([destroyed.status, destroyed.json['errorCode']], [400, 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID']);
  });
});

describe('keys', () => {
  test('by the CLI: made, described, put into a project, listed, and their access list', async () => {
    const made = await cli('POST', `/orgs/${ORG}/apiKeys`, '2023-01-01', { desc: 'e2e', roles: ['ORG_READ_ONLY'] });
    assert.equal(made.status, 200, made.text);
    const id = String(made.json['id']);
    assert.equal((await cli('GET', `/orgs/${ORG}/apiKeys/${id}`, '2023-01-01')).json['desc'], 'e2e');
    const entries = await cli('POST', `/orgs/${ORG}/apiKeys/${id}/accessList?includeCount=true&itemsPerPage=100&pageNum=1`, '2023-01-01', [{ ipAddress: '192.168.0.10' }]);
    assert.deepEqual(resultsOf(entries).map(({ ipAddress, cidrBlock }) => [ipAddress, cidrBlock]), [['192.168.0.10', '192.168.0.10/32']]);
    assert.equal((await cli('GET', `/orgs/${ORG}/apiKeys/${id}/accessList?includeCount=true&itemsPerPage=100&pageNum=1`, '2023-01-01')).json['totalCount'], 1);
    assert.equal((await cli('DELETE', `/orgs/${ORG}/apiKeys/${id}/accessList/192.168.0.10`, '2023-01-01')).status, 204);
    assert.ok((await cli('POST', `/groups/${SHOP}/apiKeys/${id}`, '2023-01-01', [{ roles: ['GROUP_READ_ONLY'] }])).status < 300);
    assert.ok(resultsOf(await cli('GET', `/groups/${SHOP}/apiKeys?includeCount=true&itemsPerPage=100&pageNum=1`, '2023-01-01')).some((each) => each['id'] === id));
    assert.equal((await cli('DELETE', `/groups/${SHOP}/apiKeys/${id}`, '2023-01-01')).status, 204);
    assert.equal((await cli('DELETE', `/orgs/${ORG}/apiKeys/${id}`, '2023-01-01')).status, 204);
  });

  test('by Terraform: an entry of an access list is read again by what was written, a block with its slash in the path', async () => {
    const { json: { id } } = await terraform('POST', `/orgs/${ORG}/apiKeys`, '2023-01-01', { desc: 'tf', roles: ['ORG_MEMBER'] });
    const list = `/orgs/${ORG}/apiKeys/${String(id)}/accessList`;
    for (const [sent, entry] of [[{ cidrBlock: '198.51.100.0/24' }, '198.51.100.0/24'], [{ cidrBlock: '192.0.2.7/32' }, '192.0.2.7'], [{ ipAddress: '203.0.113.9' }, '203.0.113.9']] as const) {
      assert.equal((await terraform('POST', `${list}?includeCount=true&itemsPerPage=100&pageNum=1`, '2023-01-01', [sent])).status, 200);
      const { status, json } = await terraform('GET', `${list}/${encodeURIComponent(entry)}`, '2023-01-01');
      assert.equal(status, 200, entry);
      for (const [name, value] of Object.entries(sent)) assert.equal(json[name], value);
      assert.equal((await terraform('DELETE', `${list}/${encodeURIComponent(entry)}`, '2023-01-01')).status, 204);
      assert.ok([400, 404].includes((await terraform('GET', `${list}/${encodeURIComponent(entry)}`, '2023-01-01')).status), 'gone');
    }
  });
});
