import assert from 'node:assert/strict';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { BACKUP_ROLE, RESTORE_ROLE } from '../../../src/engine/mongo/roles.ts';
import { restoreSnapshot } from '../../../src/engine/restore/index.ts';
import { isLeafvaultError, type LeafvaultError } from '../../../src/foundation/errors.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { refuseCommands } from '../../support/hold-commands.ts';
import { freePort, startReplicaSet, startStandalone, type ReplicaSet } from '../../support/mongod.ts';
import { SOON_MS } from '../../support/patience.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer, restoreWorld } from '../../support/restore-world.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { takeSnapshot } from '../../support/capture.ts';

const DOCUMENTS = 3_000;

describe('targets of a restore', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;
  let original: Record<string, string>;

  before(async () => {
    server = await startReplicaSet({ auth: true });
    client = new MongoClient(server.adminUri);
    for (const role of [BACKUP_ROLE, RESTORE_ROLE]) await server.createRole(role);
    await client.db('shop').collection('orders').insertMany(Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i as never, i, text: `${i} `.repeat(500) })));
    await client.db('shop').collection('orders').createIndex({ i: 1 });
    repository = await openTestRepository(createMemoryStorage());
    root = await buildSnapshot(server.adminUri, { repository, databases: ['shop'], chunkBytes: 64 * 1024 });
    original = await contentOfServer(server.adminUri);
  });

  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });

  async function failure(uri: string): Promise<LeafvaultError> {
    await using world = await restoreWorld(repository, root, uri);
    const error: unknown = await restoreSnapshot(world.options).then(() => assert.fail('it succeeded'), (reason: unknown) => reason);
    assert.ok(isLeafvaultError(error), String(error));
    return error;
  }

  test('without privileges are refused with everything that is missing, before anything is written', async () => {
    const uri = await server.createUser({ user: 'reader', password: 'only-reads', roles: ['leafvaultBackup'] });
    const error = await failure(uri);
    assert.equal(error.code, 'RESTORE_PREFLIGHT_REFUSED');
    const reasons = error.details['reasons'] as string[];
    assert.ok(reasons.some((reason) => /lacks insert, update, remove.* on the database shop/.test(reason)), reasons.join('\n'));
    assert.ok(reasons.some((reason) => /free space/.test(reason)), reasons.join('\n'));
    assert.deepEqual(await contentOfServer(server.adminUri), original);
  });

  test('that nobody is logged in to are refused, and so is a wrong password, without telling it', async () => {
    assert.equal((await failure(server.uri)).code, 'RESTORE_PREFLIGHT_REFUSED');
    const wrong = await failure(server.adminUri.replace(/:[^:@]*@/, ':not-the-password@'));
    assert.equal(wrong.code, 'TARGET_AUTH_FAILED');
    assert.ok(!JSON.stringify([wrong.message, wrong.details, wrong.hint]).includes('not-the-password'));
  });

  test('that are down fail within seconds and name the host', async () => {
    const began = performance.now();
    const port = await freePort();
    const error = await failure(`mongodb://127.0.0.1:${port}/?directConnection=true`);
    assert.ok(performance.now() - began < SOON_MS);
    assert.equal(error.code, 'TARGET_UNREACHABLE');
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
  });

  test('whose disk has too little room are refused before anything is written', { skip: process.getuid?.() === 0 ? false : 'only root can mount file systems' }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'leafvault-small-'));
    const disk = mountSmallDisk(t, folder, '2g');
    if (disk === null) return;
    const standard = process.env['TMPDIR'];
    process.env['TMPDIR'] = folder;
    try {
      await using full = await startStandalone().finally(() => (standard === undefined ? delete process.env['TMPDIR'] : process.env['TMPDIR'] = standard));
      await using live = new MongoClient(full.uri);
      await live.db('shop').collection('orders').insertOne({ live: true });
      const before = await contentOfServer(full.uri);
      const whole = (await statfs(folder)).blocks;
      // The server still makes its journal files: a size below what it has taken meanwhile is refused.
      for (let steady = 0, last = 0; steady < 3 || (await statfs(folder)).blocks === whole;) {
        const { bsize, blocks, bavail } = await statfs(folder);
        steady = blocks - bavail === last ? steady + 1 : 0;
        last = blocks - bavail;
        if (steady >= 3) disk.resize(`${Math.ceil((bsize * last) / 1_024) + 5 * 1_024}k`);
        else await setTimeout(50);
      }
      const error = await failure(full.uri);
      assert.equal(error.code, 'RESTORE_PREFLIGHT_REFUSED');
      assert.match(String(error.details['reasons']), /the target has [45]\.?\d* MiB free and the documents have [\d.]+ MiB: there is not enough room beside what is live/);
      assert.deepEqual(await contentOfServer(full.uri), before);
      assert.deepEqual((await live.db().admin().listDatabases({ nameOnly: true })).databases.map(({ name }) => name).filter((name) => name.startsWith('__leafvault')), []);
    } finally {
      disk.unmount();
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('may be standalone servers', async () => {
    await using standalone = await startStandalone();
    await using world = await restoreWorld(repository, root, standalone.uri);
    await restoreSnapshot(world.options);
    assert.deepEqual(await contentOfServer(standalone.uri), original);
  });

  test('may change their primary while documents are written', { timeout: 900_000 }, async () => {
    await using three = await startReplicaSet({ members: 3 });
    let stepped: Promise<unknown> | undefined;
    await using world = await restoreWorld(repository, root, three.uri, { onProgress: ({ phase, documentsDone }) => { if (phase === 'load' && documentsDone > 0) stepped ??= three.stepDown(); } });
    await restoreSnapshot(world.options);
    assert.ok(stepped !== undefined, 'the step down was asked for');
    await stepped;
    assert.deepEqual(await contentOfServer(three.uri), original);
  });

  test('may lose a cursor while they are read back: what was read is read again', { timeout: 900_000 }, async () => {
    await using one = await startReplicaSet({ parameters: { enableTestCommands: 1 } });
    const admin = new MongoClient(one.uri);
    const told: number[] = [];
    let refused = async (): Promise<number> => 0;
    await using world = await restoreWorld(repository, root, one.uri, {
      onPhase: async (phase) => {
        if (phase !== 'prove') return;
        const [shadow] = await admin.db('shop').listCollections({ name: /^__lv_/, type: 'collection' }).toArray();
        // Two cursors in a row, as an election takes them away.
        refused = await refuseCommands(one, ['find'], 2, { errorCode: 43, namespace: `shop.${shadow!.name}` });
      },
      onProgress: ({ phase, documentsDone }) => { if (phase === 'prove') told.push(documentsDone); },
    });
    await restoreSnapshot(world.options);
    assert.equal(await refused(), 2);
    assert.deepEqual(await contentOfServer(one.uri), original);
    assert.ok(told.every((each) => each >= 0));
    await admin.close();
  });

  for (const question of ['listIndexes', 'listCollections']) {
    test(`may lose their primary while ${question} is asked: it is asked again`, { timeout: 900_000 }, async () => {
      await using one = await startReplicaSet({ parameters: { enableTestCommands: 1 } });
      let refused = async (): Promise<number> => 0;
      await using world = await restoreWorld(repository, root, one.uri, {
        onPhase: async (phase) => {
          // NotPrimaryNoSecondaryOk, twice in a row.
          if (phase === 'prove') refused = await refuseCommands(one, [question], 2, { errorCode: 13435 });
        },
      });
      await restoreSnapshot(world.options);
      assert.equal(await refused(), 2);
      assert.deepEqual(await contentOfServer(one.uri), original);
    });
  }

  test('get back what was captured while applications wrote', async () => {
    const uri = await server.createUser({ user: 'leafvault', password: 'both', roles: ['leafvaultBackup', 'leafvaultRestore'] });
    const orders = client.db('shop').collection<{ _id: number; i: number }>('orders');
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n++) {
        await orders.updateOne({ _id: (n * 31) % DOCUMENTS }, { $inc: { i: 1 } });
        if (n % 3 === 0) await orders.insertOne({ _id: DOCUMENTS + n, i: n });
        if (n % 5 === 0) await orders.deleteOne({ _id: (n * 17) % DOCUMENTS });
      }
    })();
    const captured = await takeSnapshot({ uri, repository });
    writing = false;
    await writer;
    await client.db('shop').dropDatabase();
    await using world = await restoreWorld(repository, captured.root, uri);
    const { collections } = await restoreSnapshot(world.options);
    assert.deepEqual(collections.map(({ to }) => to), ['shop.orders']);
    assert.ok((collections[0]?.documents ?? 0) > DOCUMENTS / 2);
    assert.equal(await orders.countDocuments(), collections[0]?.documents);
    assert.deepEqual((await orders.indexes()).map(({ name }) => name), ['_id_', 'i_1']);
  });
});
