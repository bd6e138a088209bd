import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { SignJWT } from 'jose';
import type { Principal } from '../../src/domain/roles.ts';
import { newId } from '../../src/foundation/ids.ts';
import { createIdentity, LOCK_SECONDS, LOGIN_TRIES, SESSION_IDLE_SECONDS } from '../../src/services/identity.ts';
import { BEARER_SECONDS } from '../../src/services/bearer-tokens.ts';
import { applyDeclared } from '../../src/services/index.ts';
import { MASTER_KEY, startServicesWorld, type ServicesWorld } from '../support/services-world.ts';

const PRIVATE_KEY = '00000000-0000-4000-8000-000000000000';
let world: ServicesWorld;
/** Fresh for each test: names end in it. */
let tag: string;

before(async () => { world = await startServicesWorld(); });
after(() => world?.close());

beforeEach(async () => {
  tag = newId();
  await applyDeclared(world, [{
    name: `org ${tag}`,
    apiKeys: [{ publicKey: `key-${tag}`, privateKey: PRIVATE_KEY, roles: ['ORG_OWNER'], accessList: ['10.0.0.0/8'] }],
    serviceAccounts: [{ clientId: `mdb_sa_id_${tag}`, clientSecret: 'mdb_sa_sk_example', roles: ['ORG_READ_ONLY'], accessList: ['10.0.0.0/8'] }],
    users: [{ name: `Admin-${tag}`, password: 'change-me-now', roles: ['ORG_OWNER'] }],
  }]);
});

describe('apiKey', () => {
  test('gives HA1, principal with its grants, and the access list', async () => {
    const found = await world.services.identity.apiKey(`key-${tag}`);
    assert.match(found?.ha1 ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual([found?.principal.kind, found?.principal.name, found?.accessList], ['apiKey', `key-${tag}`, ['10.0.0.0/8']]);
    assert.deepEqual(found?.principal.grants, [{ role: 'ORG_OWNER', orgId: found?.principal.orgId }]);
  });

  test('is null for an unknown key and for a name that cannot be', async () => {
    assert.equal(await world.services.identity.apiKey('nobody'), null);
    assert.equal(await world.services.identity.apiKey('a\0b'), null);
  });

  test('asks the catalog the same for known and unknown keys: the time of an answer tells nothing', async () => {
    const asked: string[] = [];
    const { apiKeys, roleGrants } = world.catalog;
    const watched = {
      ...world.catalog,
      apiKeys: { ...apiKeys, byPublicKey: (key: string) => { asked.push('key'); return apiKeys.byPublicKey(key); } },
      roleGrants: { ...roleGrants, of: (...who: Parameters<typeof roleGrants.of>) => { asked.push('roles'); return roleGrants.of(...who); } },
    };
    const identity = createIdentity({ catalog: watched, clock: world.clock, secret: MASTER_KEY });
    for (const key of [`key-${tag}`, 'nobody', 'a\0b']) {
      asked.length = 0;
      assert.equal((await identity.apiKey(key)) !== null, key === `key-${tag}`);
      assert.deepEqual(asked, ['key', 'roles'], key);
    }
  });
});

describe('takeNonceCount', () => {
  test('is true once for each pair, over two processes of one catalog', async () => {
    const other = createIdentity({ catalog: world.catalog, clock: world.clock, secret: MASTER_KEY });
    const until = new Date(world.clock.now().getTime() + 1000);
    const taken = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? world.services.identity : other).takeNonceCount(tag, 4_294_967_295, until)));
    assert.equal(taken.filter((each) => each === true).length, 1);
    assert.equal(await other.takeNonceCount(tag, 1, until), true);
  });
});

describe('signingKey', () => {
  test('is the same for one master key and purpose, and no other', () => {
    const { identity } = world.services;
    const other = createIdentity({ catalog: world.catalog, clock: world.clock, secret: Buffer.alloc(32, 1) });
    const again = createIdentity({ catalog: world.catalog, clock: world.clock, secret: MASTER_KEY });
    assert.equal(identity.signingKey('digest-nonce').length, 32);
    assert.deepEqual(identity.signingKey('bearer'), again.signingKey('bearer'));
    assert.notDeepEqual(identity.signingKey('bearer'), identity.signingKey('digest-nonce'));
    assert.notDeepEqual(identity.signingKey('bearer'), other.signingKey('bearer'));
  });
});

describe('service accounts', () => {
  const login = () => world.services.identity.serviceAccount(`mdb_sa_id_${tag}`, 'mdb_sa_sk_example');

  test('are proven by their secret alone', async () => {
    assert.equal((await login())?.principal.kind, 'serviceAccount');
    assert.equal(await world.services.identity.serviceAccount(`mdb_sa_id_${tag}`, 'mdb_sa_sk_other'), null);
    assert.equal(await world.services.identity.serviceAccount('mdb_sa_id_nobody', 'mdb_sa_sk_example'), null);
  });

  test('get a bearer that says who they are, with the grants of the moment', async () => {
    const { identity } = world.services;
    const principal = (await login())?.principal as Principal;
    const { token, expiresInSeconds } = await identity.issueBearer(principal);
    assert.equal(expiresInSeconds, 3600);
    assert.deepEqual(await identity.readBearer(token), { principal, accessList: ['10.0.0.0/8'] });
    await world.catalog.roleGrants.remove('serviceAccount', principal.id);
    assert.deepEqual((await identity.readBearer(token))?.principal.grants, []);
  });

  test('lose a bearer when its hour is over', async () => {
    const { identity } = world.services;
    const { token } = await identity.issueBearer((await login())?.principal as Principal);
    world.clock.advance((BEARER_SECONDS - 1) * 1000);
    assert.ok((await identity.readBearer(token)) !== null);
    world.clock.advance(1000);
    assert.equal(await identity.readBearer(token), null);
  });

  test('lose the bearer that is revoked, and no other', async () => {
    const { identity } = world.services;
    const principal = (await login())?.principal as Principal;
    const [one, two] = [(await identity.issueBearer(principal)).token, (await identity.issueBearer(principal)).token];
    await identity.revokeBearer(one);
    await identity.revokeBearer(one);
    await identity.revokeBearer('no token at all');
    assert.equal(await identity.readBearer(one), null);
    assert.ok((await identity.readBearer(two)) !== null);
  });

  test('have no use for a bearer that was altered or made by others', async () => {
    const { identity } = world.services;
    const principal = (await login())?.principal as Principal;
    const { token } = await identity.issueBearer(principal);
    const [head = '', body = '', signature = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: newId() })).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const foreign = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 3));
    const withoutEnd = await new SignJWT({ ...claims, exp: undefined }).setProtectedHeader({ alg: 'HS256' }).sign(identity.signingKey('bearer'));
    for (const wrong of [`${head}.${changed}.${signature}`, `${none}.${body}.`, `${none}.${body}.${signature}`, foreign, withoutEnd, '', 'a.b.c', token.slice(0, -2)]) {
      assert.equal(await identity.readBearer(wrong), null, wrong);
    }
  });
});

describe('login', () => {
  const login = (password: string, name = `admin-${tag}`) => world.services.identity.login(name, password);

  test('knows a user in any case of the name', async () => {
    const found = await login('change-me-now', `ADMIN-${tag}`);
    assert.ok(found !== null && 'principal' in found);
    assert.equal(found.principal.name, `Admin-${tag}`);
  });

  test('is null for a wrong password and for an unknown user', async () => {
    assert.equal(await login('wrong'), null);
    assert.equal(await login('change-me-now', 'nobody'), null);
    assert.equal(await login('change-me-now', '\0'), null);
  });

  test('is locked after so many wrong passwords, also for the right one, and opens by itself', async () => {
    for (let n = 1; n < LOGIN_TRIES; n += 1) assert.equal(await login('wrong'), null);
    assert.deepEqual(await login('wrong'), { lockedSeconds: LOCK_SECONDS });
    world.clock.advance(60_000);
    assert.deepEqual(await login('change-me-now'), { lockedSeconds: LOCK_SECONDS - 60 });
    world.clock.advance((LOCK_SECONDS - 60) * 1000);
    assert.ok('principal' in ((await login('change-me-now')) ?? {}));
  });

  test('forgets wrong passwords after a right one', async () => {
    for (let round = 0; round < 2; round += 1) {
      for (let n = 1; n < LOGIN_TRIES; n += 1) assert.equal(await login('wrong'), null);
      assert.ok('principal' in ((await login('change-me-now')) ?? {}));
    }
  });

  test('does not let a right password through that was looked at while wrong ones brought the lock', async () => {
    const { users, ...rest } = world.catalog;
    const user = await users.byName(`admin-${tag}`);
    const slow = createIdentity({
      clock: world.clock, secret: MASTER_KEY,
      catalog: {
        ...rest,
        users: {
          ...users,
          async verifyPassword(id, password) {
            for (let n = 0; n < LOGIN_TRIES; n += 1) await users.recordFailure(user?.id ?? '', { limit: LOGIN_TRIES, lockSeconds: LOCK_SECONDS });
            return users.verifyPassword(id, password);
          },
        },
      },
    });
    assert.deepEqual(await slow.login(`admin-${tag}`, 'change-me-now'), { lockedSeconds: LOCK_SECONDS });
  });
});

describe('sessions', () => {
  const open = async () => {
    const found = await world.services.identity.login(`admin-${tag}`, 'change-me-now');
    assert.ok(found !== null && 'principal' in found);
    return { principal: found.principal, token: await world.services.identity.openSession(found.principal) };
  };

  test('last as long as they are used, and end after half an hour of nothing', async () => {
    const { identity } = world.services;
    const { token, principal } = await open();
    assert.match(token, /^[0-9a-f]{64}$/);
    for (let n = 0; n < 3; n += 1) {
      world.clock.advance((SESSION_IDLE_SECONDS - 1) * 1000);
      assert.deepEqual(await identity.readSession(token), principal);
    }
    world.clock.advance(SESSION_IDLE_SECONDS * 1000);
    assert.equal(await identity.readSession(token), null);
  });

  test('end when they are closed, and are unknown to others', async () => {
    const { identity } = world.services;
    const { token } = await open();
    assert.equal(await identity.readSession(token.replace(/^./, (first) => (first === '0' ? '1' : '0'))), null);
    assert.equal(await identity.readSession(''), null);
    await identity.closeSession(token);
    await identity.closeSession(token);
    assert.equal(await identity.readSession(token), null);
  });

  test('are stored as a hash alone', async () => {
    const { token } = await open();
    const { rows } = await world.catalog.transaction((tx) => tx.executeSql('select token_hash from sessions'));
    assert.ok(rows.length > 0 && !JSON.stringify(rows).includes(token));
  });
});
