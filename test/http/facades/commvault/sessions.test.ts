import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const NOBODY = { authorization: '', authtoken: '' };

describe('sessions of Commvault', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const login = async (body: unknown) => (await facade.commvault('/Login', { method: 'POST', body, headers: NOBODY }));
  const admin = async (): Promise<string> => String((await login({ mode: 4, username: 'admin', password: base64('change-me'), deviceId: 'h', clientType: 30 })).json['token']);

  test('answer the probe to anyone, with JSON', async () => {
    for (const path of ['', '/', '//']) {
      const { status, text, headers } = await facade.commvault(path, { headers: NOBODY });
      assert.deepEqual([status, text], [200, '{}'], path);
      assert.match(String(headers['content-type']), /^application\/json/);
    }
  });

  test('begin with a login that names every field', async () => {
    const { status, json } = await login({ username: 'admin', password: base64('change-me'), domain: '', timeout: 30 });
    assert.equal(status, 200);
    assert.match(String(json['token']), /^QSDK [0-9a-f]+$/);
    assert.deepEqual(Object.keys(json), [
      'userName', 'token', 'errList', 'aliasName', 'userGUID', 'loginAttempts', 'remainingLockTime', 'isAccountLocked', 'forcePasswordChange', 'capability', 'ccn',
      'smtpAddress', 'providerType', 'ownerOrganization', 'additionalResp',
    ]);
    assert.deepEqual([json['userName'], json['errList'], json['isAccountLocked']], ['admin', [], false]);
  });

  test('take a password that is not in base64', async () => assert.ok((await login({ username: 'admin', password: 'change-me' })).json['token']));

  test('refuse a wrong login with 200 and the words, never a token', async () => {
    for (const body of [{ username: 'admin', password: base64('wrong') }, { username: 'nobody', password: base64('change-me') }]) {
      const { status, json } = await login(body);
      assert.equal(status, 200);
      assert.deepEqual(json, { errList: [{ errorCode: 1116, errLogMessage: 'Incorrect user name or password.' }], isAccountLocked: false, remainingLockTime: 0 });
    }
  });

  test('say for how long an account is locked', async () => {
    const { identity } = facade.services;
    const kept = identity.login;
    Object.assign(identity, { login: async () => ({ lockedSeconds: 90 }) });
    const { json } = await login({ username: 'admin', password: base64('change-me') });
    Object.assign(identity, { login: kept });
    assert.deepEqual([json['isAccountLocked'], json['remainingLockTime'], json['token']], [true, 90, undefined]);
  });

  test('refuse a login without a name', async () => assert.equal((await login({ password: 'x' })).status, 400));

  test('write down who logged in, and nothing that a refused login typed', async () => {
    facade.audit.length = 0;
    await login({ username: 'admin', password: base64('change-me') });
    await login({ username: 'admin', password: base64('hunter2') });
    await login({ username: 'hunter2', password: base64('admin') });
    assert.deepEqual(facade.audit.map(({ action, object, address }) => [action, object, address]), [['login', 'admin', '127.0.0.1']]);
  });

  test('write nothing down for requests that only read', async () => {
    const authtoken = await admin();
    facade.audit.length = 0;
    for (const path of ['/WhoAmI', '/JobDetails', '/BrowseRDSBackups']) await facade.commvault(path, { method: 'POST', body: {}, headers: { authtoken } });
    assert.deepEqual(facade.audit, []);
    await facade.commvault('/Logout', { method: 'POST', headers: { authtoken } });
    assert.deepEqual(facade.audit.map(({ action }) => action), ['commvault POST /logout']);
  });

  test('say who one is, with an empty XML body as the SDK sends it', async () => {
    const { status, json } = await facade.commvault('/WhoAmI', { method: 'POST', headers: { authtoken: await admin(), 'content-type': 'application/xml' } });
    assert.equal(status, 200);
    const { user } = json as { user: { userName: string; userId: number } };
    assert.equal(user.userName, 'admin');
    assert.ok(Number.isInteger(user.userId) && user.userId >= 2);
  });

  test('take the token with and without its word', async () => {
    const token = await admin();
    for (const authtoken of [token, token.replace('QSDK ', ''), token.replace('QSDK', 'qsdk')]) {
      assert.equal((await facade.commvault('/whoami', { method: 'POST', headers: { authtoken } })).status, 200, authtoken.slice(0, 5));
    }
  });

  test('deny a missing, wrong or closed token with the pair that the SDK knows', async () => {
    const token = await admin();
    assert.equal((await facade.commvault('/Logout', { method: 'POST', headers: { authtoken: token, 'content-type': 'application/xml' } })).status, 200);
    for (const authtoken of ['', 'QSDK 00ff', token]) {
      for (const [method, path] of [['GET', '/Job/5'], ['POST', '/createtask'], ['POST', '/JobDetails'], ['GET', '/nothing']] as const) {
        const { status, json } = await facade.commvault(path, { method, headers: { authtoken } });
        assert.equal(status, 401, path);
        assert.deepEqual(json, { errorMessage: 'Access denied', errorCode: 5 });
      }
    }
  });

  test('renew a living token, which then is no more, and never an unknown one', async () => {
    const token = await admin();
    const renew = (sessionId: string) => facade.commvault('/RenewLoginToken', { method: 'POST', body: { sessionId, deviceId: 'h' }, headers: NOBODY });
    const { json } = await renew(token);
    assert.match(String(json['token']), /^QSDK [0-9a-f]+$/);
    assert.notEqual(json['token'], token);
    assert.equal((await facade.commvault('/whoami', { method: 'POST', headers: { authtoken: String(json['token']) } })).status, 200);
    const refused = await renew(token);
    assert.equal(refused.status, 200);
    assert.deepEqual(refused.json, { error: { errorCode: 5, errLogMessage: 'The session has expired. Log in again.' } });
  });

  test('answer an unknown path in JSON', async () => {
    const { status, json } = await facade.commvault('/Nothing');
    assert.deepEqual([status, json], [404, { errorMessage: 'No such operation', errorCode: 4 }]);
  });
});
