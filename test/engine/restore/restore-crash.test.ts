import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MongoClient, type Document, type MongoServerError } from 'mongodb';
import { settleRestore } from '../../../src/engine/restore/index.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { createLogger } from '../../../src/foundation/logger.ts';
import type { SnapshotRoot } from '../../../src/repository/repository.ts';
import { createLocalStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { fileJournal, type RestoreChildOptions } from '../../support/restore-child.ts';
import { contentOfServer } from '../../support/restore-world.ts';

const CHILD = join(import.meta.dirname, '../../support/restore-child.ts');
/** Every step, not only those that differ. */
const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
/** Looks like a shadow; another restore keeps it, and says so in its plan. */
const FOREIGN = '__lv_0123456789ab.1';

describe('a restore killed with SIGKILL', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let folder: string;
  let root: SnapshotRoot;
  let hashSeed: Buffer;
  let restored: Record<string, string>;
  let steps: readonly string[];

  before(async () => {
    server = await startReplicaSet();
    client = new MongoClient(server.uri);
    await client.db('__leafvault').collection<Document & { _id: string }>('plans').insertOne({
      _id: newId(), formatVersion: 1, revision: 9, state: 'finished', prefix: '__lv_0123456789ab', swaps: [], asides: [], views: [], asideViews: [], timeSeries: [], kept: [`shop.${FOREIGN}`],
    });
    folder = await mkdtemp(join(tmpdir(), 'leafvault-crash-'));
    await client.db('admin').command({ createUser: 'newcomer', pwd: 'x', roles: [], mechanisms: ['SCRAM-SHA-256'] });
    await client.db('admin').command({ createRole: 'clerk', privileges: [{ resource: { db: 'shop', collection: 'a' }, actions: ['find'] }], roles: [] });
    await client.db('admin').command({ createUser: 'shopper', pwd: 'x', roles: ['clerk'], mechanisms: ['SCRAM-SHA-256'] });
    await makeLive('snapshot');
    const repository = await openTestRepository(createLocalStorage(join(folder, 'repository')));
    root = await buildSnapshot(server.uri, { repository, usersAndRoles: true });
    hashSeed = repository.hashSeed;
    await repository.close();
    // Users are merged: those that are there stay.
    restored = await liveContent();
    assert.deepEqual([...restored['users']!.matchAll(/"user":"(\w+)"/g)].map(([, name]) => name), ['newcomer', 'shopper']);
    assert.match(restored['roles']!, /clerk/);
    await makeLive('live');
    steps = await runChild(newId(), () => false);
    assert.deepEqual(await liveContent(), restored);
  });

  after(async () => {
    await client?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('at any step leaves all old or all new and nothing of its own', async (context) => {
    const wanted = ['prepare', 'load', 'indexes', 'prove', 'swap', 'swap:aside:shop.extra', 'swap:old:shop.a', 'swap:new:shop.a', 'swap:old:shop.b', 'swap:new:shop.b', 'swap:commit', 'after-save:swapping', 'after-save:committed', 'finish:time-series:copying', 'finish:users', 'finish:clean-up'];
    for (const step of wanted) assert.ok(steps.includes(step), `${step} is among ${steps.join(', ')}`);
    const outcomes = new Map<string, string>();
    for (const [step, nth] of placesToKill()) {
      await makeLive('live');
      const before = await liveContent();
      const restoreId = newId();
      let met = 0;
      const seen = await runChild(restoreId, (name) => name === step && met++ === nth);
      assert.equal(seen.at(-1), step);
      const outcome = await settle(restoreId);
      assert.equal(await settle(restoreId), outcome, 'settling twice gives the same side');
      assert.deepEqual(await liveContent(), outcome === 'new' ? restored : before, `killed at ${step}`);
      assert.equal((await client.db('shop').collection(FOREIGN).findOne({}))?.['whose'], 'not ours');
      assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 1);
      outcomes.set(`${step}#${nth}`, outcome);
    }
    context.diagnostic([...outcomes].map(([step, side]) => `${step}=${side}`).join(' '));
    // Twice-met steps come last in the list and belong before the commit.
    const sides = [...outcomes].filter(([step]) => step.endsWith('#0')).map(([, side]) => side);
    assert.equal(sides.lastIndexOf('old') + 1, sides.indexOf('new'), 'there is one point of no return');
  });

  test('goes on with the next attempt of the same restore', async () => {
    for (const step of ['load', 'swap:new:shop.b', 'finish:clean-up']) {
      await makeLive('live');
      const restoreId = newId();
      await runChild(restoreId, (name) => name === step);
      await runChild(restoreId, () => false);
      assert.deepEqual(await liveContent(), restored);
    }
  });

  test('merges users once more where it was killed before it could write down that it had', async () => {
    await makeLive('live');
    const restoreId = newId();
    let merging = false;
    const seen = await runChild(restoreId, (name) => {
      merging ||= name === 'finish:users';
      return merging && name === 'before-save:committed';
    });
    assert.equal(seen.at(-1), 'before-save:committed');
    assert.equal(await settle(restoreId), 'new');
    assert.deepEqual(await liveContent(), restored);
  });

  test('keeps what an application wrote in the moment between two renames', async () => {
    await makeLive('live');
    const before = await liveContent();
    const restoreId = newId();
    await runChild(restoreId, (name) => name === 'swap:new:shop.b');
    await client.db('shop').collection('b').insertOne({ intruder: true });
    assert.equal(await settle(restoreId), 'old');
    const content = await liveContent();
    const kept = Object.keys(content).filter((name) => name.includes('.gap'));
    assert.equal(kept.length, 1);
    assert.equal((await client.db('shop').collection((kept[0] ?? '').slice('shop.'.length)).findOne({}))?.['intruder'], true);
    delete content[kept[0] ?? ''];
    assert.deepEqual(content, before);
    const plan = await client.db('__leafvault').collection<Document & { _id: string }>('plans').findOneAndDelete({ _id: restoreId });
    assert.deepEqual(plan?.['shadows'], kept);
  });

  test('is settled from the target when the catalog lost the plan', async () => {
    await makeLive('live');
    const before = await liveContent();
    const restoreId = newId();
    await runChild(restoreId, (name) => name === 'swap:new:shop.b');
    await rm(journalOf(restoreId));
    assert.equal(await settle(restoreId), 'old');
    assert.deepEqual(await liveContent(), before);
  });

  /** Steps by name and how often they were met before. Saves that only hold the lease come by the clock, so not all of them are counted on. */
  function placesToKill(): [string, number][] {
    const names = [...new Set(steps)];
    // Nothing is written between such a step and the one before it.
    const same = ['preflight', 'finish', 'finish:time-series'];
    const chosen = LONG ? names : names.filter((name) => !name.startsWith('before-save') && !same.includes(name));
    const places = chosen.map((name): [string, number] => [name, 0]);
    const twice = LONG ? names.filter((name) => steps.filter((each) => each === name).length > 1 && name.endsWith(':preparing')) : [];
    return [...places, ...twice.map((name): [string, number] => [name, 1])];
  }

  function journalOf(restoreId: string): string {
    return join(folder, `${restoreId}.json`);
  }

  function settle(restoreId: string): Promise<'old' | 'new'> {
    return settleRestore({ restoreId, target: { uri: server.uri }, journal: fileJournal(journalOf(restoreId)), signal: new AbortController().signal, log: createLogger('silent'), hashSeed });
  }

  async function liveContent(): Promise<Record<string, string>> {
    const { [`shop.${FOREIGN}`]: _foreign, ...content } = await contentOfServer(server.uri);
    const admin = client.db('admin');
    const { users } = await admin.command({ usersInfo: 1, showCredentials: true });
    const { roles } = await admin.command({ rolesInfo: 1, showPrivileges: true });
    const collections = (await admin.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).filter((name) => name.startsWith('__lv_'));
    return { ...content, users: JSON.stringify(users), roles: JSON.stringify(roles), 'of admin': collections.join() };
  }

  async function makeLive(mark: string): Promise<void> {
    const db = client.db('shop');
    await db.dropDatabase();
    if (mark === 'live') {
      for (const command of [{ dropUser: 'shopper' }, { dropRole: 'clerk' }]) {
        await client.db('admin').command(command).catch((error: MongoServerError) => assert.match(String(error.codeName), /^(User|Role)NotFound$/));
      }
    }
    await db.createCollection('a', { validator: { i: { $gte: 5 } }, validationLevel: 'moderate', validationAction: 'error' });
    for (const name of ['a', 'b']) {
      // The first five were there before the validator.
      await db.collection(name).insertMany(Array.from({ length: 40 }, (_, i) => ({ _id: i as never, mark, i })), { bypassDocumentValidation: true });
      await db.collection(name).createIndex({ i: 1 });
    }
    await db.collection('b').createIndex({ at: 1 }, { expireAfterSeconds: 3600 });
    await db.createCollection('v', { viewOn: 'a', pipeline: [{ $match: { mark } }] });
    await db.createCollection('ts', { timeseries: { timeField: 't' } });
    await db.collection('ts').insertOne({ t: new Date(0), mark });
    if (mark === 'snapshot') return;
    await db.collection('extra').insertOne({ mark });
    await db.collection(FOREIGN).insertOne({ whose: 'not ours' });
  }

  /** Runs a child until it is done, or until `isEnd` says to kill it. @returns the steps that it came to */
  function runChild(restoreId: string, isEnd: (step: string) => boolean): Promise<string[]> {
    const options: RestoreChildOptions = {
      restoreId, uri: server.uri, repositoryFolder: join(folder, 'repository'), snapshotId: root.id, journalFile: journalOf(restoreId), tempFolder: folder,
      changes: { timeSeries: 'replace', usersAndRoles: true },
    };
    const child = fork(CHILD, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const seen: string[] = [];
    return new Promise((resolve, reject) => {
      child.on('message', (message: { step?: string; failed?: string }) => {
        if (message.failed !== undefined) reject(new Error(message.failed));
        if (message.step === undefined) return;
        seen.push(message.step);
        if (isEnd(message.step)) child.kill('SIGKILL');
        else child.send('go');
      });
      child.on('error', reject);
      child.on('exit', () => resolve(seen));
    });
  }
});
