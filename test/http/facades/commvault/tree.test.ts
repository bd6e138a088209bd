import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Document } from 'mongodb';
import type { ProjectRole } from '../../../../src/domain/roles.ts';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { COPY_ID, ORDERS_ID, SHOP_ID, VAULT_ID } from '../../../support/memory-services.ts';

type Json = Document;

describe('the tree of Commvault', () => {
  let facade: FacadeServer;
  let ids: { readonly client: number; readonly orders: number; readonly copy: number; readonly vault: number; readonly set: number };
  before(async () => {
    facade = await startFacades();
    const { numbers } = facade.services;
    ids = {
      client: await numbers.numberOf('project', SHOP_ID), orders: await numbers.numberOf('cluster', ORDERS_ID), copy: await numbers.numberOf('cluster', COPY_ID),
      vault: await numbers.numberOf('cluster', VAULT_ID), set: await numbers.numberOf('backupset', ORDERS_ID),
    };
  });
  after(() => facade.close());

  const get = async (path: string, headers: Record<string, string> = {}): Promise<Json> => {
    const { status, json, text } = await facade.commvault(path, { headers });
    assert.equal(status, 200, `${path}: ${text}`);
    return json;
  };
  const as = async (role: ProjectRole, projectId = SHOP_ID): Promise<Record<string, string>> => ({
    authtoken: await facade.identity.openSession({ kind: 'user', id: role, name: role, orgId: '5f0000000000000000000001', grants: [{ role, projectId }] }),
  });
  const create = (entity: Json, more: Json = {}, headers: Record<string, string> = {}) =>
    facade.commvault('/subclient', { method: 'POST', headers, body: { subClientProperties: { subClientEntity: { clientName: 'shop', instanceName: 'orders', backupsetName: 'defaultBackupSet', ...entity }, ...more } } });

  test('has clients, with what the SDK reads of each', async () => {
    const { clientProperties } = await get('//Client?hiddenclients=true');
    assert.deepEqual(clientProperties.map(({ client }: Json) => client.clientEntity.clientName), ['shop', 'other']);
    const { client, clientProps } = (await get(`/Client/${ids.client}`))['clientProperties'][0] as Json;
    assert.deepEqual([client.clientEntity.clientId, client.osInfo.OsDisplayInfo.OSName, client.TimeZone.TimeZoneName, clientProps.activityControl.EnableDataRecovery], [ids.client, '', 'UTC', true]);
    assert.equal(client.idaList, undefined, 'the SDK would take it for something else');
    assert.deepEqual(await get('/Client?PseudoClientType=VSPseudo'), { VSPseudoClientsList: [] });
    assert.deepEqual(await get('/VSAClientAndClientGroupList'), { clients: [] });
    assert.equal((await get('/CommServ'))['commcell'].commCellId, 2);
  });

  test('has one agent, instances and backup sets, by the numbers that are asked for', async () => {
    const { agentProperties } = await get(`/Agent?clientId=${ids.client}&applicationId=134&propertyLevel=30`);
    assert.deepEqual(agentProperties.map(({ idaEntity }: Json) => [idaEntity.appName, idaEntity.applicationId]), [['Cloud Apps', 134]]);
    const names = async (query: string): Promise<unknown> => (await get(`/Instance${query}`))['instanceProperties'].map(({ instance }: Json) => instance.instanceName);
    assert.deepEqual(await names(`?clientId=${ids.client}`), ['orders', 'copy']);
    assert.deepEqual(await names(''), ['orders', 'copy', 'vault']);
    assert.deepEqual(await names('?clientId=99999'), []);
    const one = await get(`/Instance/${ids.orders}?association/entity/clientId=${ids.client}&association/entity/applicationId=134`);
    assert.deepEqual([one['instanceProperties'][0].instance.instanceId, one['instanceProperties'][0].cloudAppsInstance.instanceType], [ids.orders, 27]);
    const sets = await get(`/Backupset?clientId=${ids.client}&propertyLevel=10&applicationId=134&instanceId=${ids.orders}&excludeHidden=0`);
    assert.deepEqual(sets['backupsetProperties'].map(({ backupSetEntity, commonBackupSet }: Json) => [backupSetEntity.backupsetName, backupSetEntity.backupsetId, commonBackupSet.isDefaultBackupSet]), [['defaultBackupSet', ids.set, true]]);
    assert.equal((await get(`/Backupset/${ids.set}`))['backupsetProperties'][0].planEntity.planName, 'leafvault');
    assert.deepEqual((await get(`/Instance?clientId=${ids.client}&applicationId=33`))['instanceProperties'], [], 'another agent has none');
  });

  test('shows nothing of what one may not see', async () => {
    const headers = await as('GROUP_READ_ONLY');
    assert.deepEqual((await get('/Client', headers))['clientProperties'].map(({ client }: Json) => client.clientEntity.clientName), ['shop']);
    assert.deepEqual((await get('/Subclient', headers))['subClientProperties'].map(({ subClientEntity }: Json) => subClientEntity.instanceName), ['orders', 'copy']);
    for (const path of [`/Instance/${ids.vault}`, '/Client/99999', '/Client/abc', '/Backupset/0', '/Subclient/99999', '/Schedules/99999']) {
      const { status, json } = await facade.commvault(path, { headers });
      assert.deepEqual([status, json['errorCode']], [404, 4], path);
    }
    assert.equal((await facade.commvault('/Instance?clientId=many')).status, 400);
  });

  test('takes subclients: made, read, changed, renamed, backed up, deleted', async () => {
    const made = await create({ subclientName: 'Sales' }, { cloudDbContent: { children: [{ name: 'sales', path: '/sales' }, { path: 'crm/people' }] }, commonProperties: { description: 'what is sold', numberOfBackupStreams: 2 } });
    assert.equal(made.status, 200, made.text);
    const { errorCode, entity: { subclientId } } = made.json['response'] as Json;
    assert.equal(errorCode, 0);
    const read = async (): Promise<Json> => (await get(`/Subclient/${subclientId}`))['subClientProperties'][0] as Json;
    const content = async (): Promise<unknown> => (await read())['cloudDbContent'].children.map(({ path }: Json) => path);
    assert.deepEqual([(await read())['subClientEntity'].subclientName, (await read())['commonProperties'].isDefaultSubclient, await content()], ['Sales', false, ['/sales', '/crm/people']]);
    const list = await get(`/Subclient?clientId=${ids.client}&applicationId=134&instanceId=${ids.orders}&propertyLevel=20`);
    assert.deepEqual(list['subClientProperties'].map(({ subClientEntity }: Json) => subClientEntity.subclientName), ['default', 'Sales']);
    const change = (subClientProperties: Json, more: Json = {}) => facade.commvault(`/Subclient/${subclientId}`, { method: 'POST', body: { subClientProperties, ...more } });
    // As the SDK sends back what it read.
    assert.equal(((await change({ ...await read(), cloudDbContent: { children: [{ displayName: 'crm' }] } })).json['response'] as Json)[0].errorCode, 0);
    assert.deepEqual(await content(), ['/crm']);
    await change({ contentOperationType: 2, cloudDbContent: { children: [{ path: '/sales' }] } });
    await change({ contentOperationType: 'DELETE', cloudDbContent: { children: [{ path: '/crm' }] } });
    assert.deepEqual(await content(), ['/sales']);
    await change({}, { newName: 'Sold' });
    assert.equal((await read())['subClientEntity'].subclientName, 'Sold');
    const backup = await facade.commvault(`/Subclient/${subclientId}/action/backup?backupLevel=Full`, { method: 'POST', headers: { 'content-type': 'application/xml' } });
    assert.match(String((backup.json['jobIds'] as string[])[0]), /^[1-9][0-9]*$/, backup.text);
    assert.deepEqual(facade.lastSelection, { databases: ['sales'], collections: [] });
    assert.deepEqual((await facade.commvault(`/Subclient/${subclientId}`, { method: 'DELETE', headers: { 'content-type': 'application/xml' } })).json['response'], [{ errorCode: 0, errorString: '' }]);
    assert.equal((await facade.commvault(`/Subclient/${subclientId}`)).status, 404);
  });

  test('refuses subclients that are none', async () => {
    await create({ subclientName: 'Taken' }, { cloudDbContent: { children: [{ path: '/a' }] } });
    const byDefault = (await get(`/Subclient?instanceId=${ids.orders}`))['subClientProperties'][0].subClientEntity.subclientId as number;
    const change = (body: Json) => facade.commvault(`/Subclient/${byDefault}`, { method: 'POST', body: { subClientProperties: body } });
    const cases: readonly (readonly [string, Promise<{ readonly status: number; readonly json: Json }>, number, RegExp])[] = [
      ['a taken name', create({ subclientName: 'TAKEN' }), 409, /named \[TAKEN\] exists/],
      ['no name', create({}), 404, /No subclient is specified/],
      ['an empty name', create({ subclientName: ' ' }), 400, /can not be named/],
      ['an unknown instance', create({ instanceName: 'none', subclientName: 'x' }), 404, /No instance named \[none\]/],
      ['what is left out', create({ subclientName: 'x' }, { cloudDbContent: { children: [{ path: '/a', negation: true }] } }), 400, /left out is not supported/],
      ['everything', create({ subclientName: 'x' }, { cloudDbContent: { children: [{ path: '/' }] } }), 400, /everything/],
      ['a name that no database has', create({ subclientName: 'x' }, { cloudDbContent: { children: [{ path: 'a b' }] } }), 400, /\[a b\] is no database/],
      ['a disabled one', create({ subclientName: 'x' }, { commonProperties: { enableBackup: false } }), 400, /disabled is not supported/],
      ['content for default', change({ cloudDbContent: { children: [{ path: '/a' }] } }), 400, /\[default\] is everything/],
      ['an unknown change of content', change({ contentOperationType: 9, cloudDbContent: { children: [] } }), 400, /contentOperationType/],
      ['the end of default', facade.commvault(`/Subclient/${byDefault}`, { method: 'DELETE' }), 400, /\[default\] is everything and can not be deleted/],
    ];
    for (const [what, answer, status, words] of cases) {
      const told = await answer;
      assert.equal(told.status, status, what);
      assert.match(String(told.json['errorMessage']), words, what);
    }
    assert.equal((await change({})).status, 200, 'what the SDK sends of default without a change is taken');
  });

  test('asks for the roles', async () => {
    const byDefault = (await get(`/Subclient?instanceId=${ids.orders}`))['subClientProperties'][0].subClientEntity.subclientId as number;
    for (const [role, may] of [['GROUP_READ_ONLY', [403, 403]], ['GROUP_BACKUP_CREATOR', [403, 200]], ['GROUP_BACKUP_MANAGER', [200, 200]]] as const) {
      const headers = await as(role);
      const made = await create({ subclientName: `of ${role}` }, {}, headers);
      const backedUp = await facade.commvault(`/Subclient/${byDefault}/action/backup?backupLevel=full`, { method: 'POST', headers });
      assert.deepEqual([made.status, backedUp.status], may, role);
    }
  });
});
