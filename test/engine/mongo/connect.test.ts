import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, connectToMember, readServerFacts } from '../../../src/engine/mongo/index.ts';
import { isLeafvaultError, type LeafvaultError } from '../../../src/foundation/errors.ts';
import { freePort, startReplicaSet, startStandalone, type ReplicaSet } from '../../support/mongod.ts';
import { SOON_MS } from '../../support/patience.ts';

let servers: ReplicaSet;
let uri: string;
const PASSWORD = 'p@ss:w/rd?#%';

before(async () => {
  servers = await startReplicaSet({ auth: true });
  uri = await servers.createUser({ user: 'somebody', password: PASSWORD, roles: ['read'] });
});

after(() => servers?.stop());

async function failure(work: Promise<unknown>): Promise<{ readonly error: LeafvaultError; readonly ms: number }> {
  const began = performance.now();
  const error = await work.then(() => null, (thrown: unknown) => thrown);
  assert.ok(isLeafvaultError(error), String(error));
  return { error, ms: performance.now() - began };
}

function holdsNoSecret(error: LeafvaultError): void {
  const everything = `${error.stack} ${JSON.stringify(error)} ${(error.cause as Error | undefined)?.stack}`;
  for (const secret of ['hunter2', 'p@ss', encodeURIComponent(PASSWORD)]) assert.ok(!everything.includes(secret), everything);
}

describe('connect', () => {
  it('takes a password with any characters, and members with the same login', async () => {
    const client = await connect(uri);
    const { hosts } = await readServerFacts(client);
    const member = await connectToMember(uri, client, hosts[0]!);
    assert.equal((await readServerFacts(member)).me, hosts[0]);
    await Promise.all([client.close(), member.close()]);
  });

  it('names host and cause of a dead host within seconds', async () => {
    const port = await freePort();
    const { error, ms } = await failure(connect(`mongodb://somebody:hunter2@127.0.0.1:${port}/`));
    assert.equal(error.code, 'SOURCE_UNREACHABLE');
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*ECONNREFUSED`));
    assert.ok(ms < SOON_MS, `${ms}`);
    holdsNoSecret(error);
  });

  it('gives up on a host that takes connections and says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const { error, ms } = await failure(connect(`mongodb://127.0.0.1:${port}/`, { selectionTimeoutMs: 500, driver: { socketTimeoutMS: 500 } }));
    assert.equal(error.code, 'SOURCE_UNREACHABLE');
    assert.ok(ms < SOON_MS, `${ms}`);
    silent.close();
  });

  it('names host and user of a wrong password within seconds, never the password', async () => {
    const { error, ms } = await failure(connect(uri.replace(encodeURIComponent(PASSWORD), 'hunter2')));
    assert.equal(error.code, 'SOURCE_AUTH_FAILED');
    assert.match(error.message, /127\.0\.0\.1:\d+ as somebody/);
    assert.ok(ms < SOON_MS, `${ms}`);
    holdsNoSecret(error);
  });

  it('names the replica set that answers where the connection string asks for another', async () => {
    for (const side of ['SOURCE', 'TARGET'] as const) {
      const { error } = await failure(connect(`${uri}${uri.includes('?') ? '&' : '?'}replicaSet=rs9`.replace(/replicaSet=rs0&?/, ''), { side, selectionTimeoutMs: 1_000 }));
      assert.equal(error.code, `${side}_SET_NAME_OTHER`);
      assert.match(error.message, /127\.0\.0\.1:\d+ failed: replicaSet=rs9 was asked for.*replica set rs0$/);
      assert.match(error.hint ?? '', /replicaSet=rs0/);
      holdsNoSecret(error);
    }
  });

  it('says so where a replica set is asked for and a standalone answers', async () => {
    await using alone = await startStandalone();
    const { error } = await failure(connect(`${alone.uri}?replicaSet=rs0`, { selectionTimeoutMs: 1_000 }));
    assert.equal(error.code, 'SOURCE_SET_NAME_OTHER');
    assert.match(error.message, /no member of a replica set/);
  });

  it('says what is wrong with a connection string', async () => {
    for (const wrong of ['postgres://somebody:hunter2@host/', 'mongodb://somebody:hunter2@host:1/?tls=maybe', 'mongodb://somebody:hun%ter2@host:1/', 'nonsense']) {
      const { error } = await failure(connect(wrong, { side: 'TARGET' }));
      assert.equal(error.code, 'TARGET_URI_INVALID', wrong);
      holdsNoSecret(error);
    }
  });

  it('ends at once when it is cancelled', async () => {
    const cancel = new AbortController();
    const began = performance.now();
    const work = connect('mongodb://127.0.0.1:1/', { signal: cancel.signal });
    setTimeout(() => cancel.abort(new Error('nobody wants it')), 50);
    await assert.rejects(work, /nobody wants it/);
    assert.ok(performance.now() - began < SOON_MS);
  });
});
