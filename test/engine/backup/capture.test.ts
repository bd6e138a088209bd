// Captures of one member that nothing disturbs but what each test does on purpose.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { BSON, Double, Int32, Long, MongoClient, type Document } from 'mongodb';
import { BACKUP_ROLE } from '../../../src/engine/mongo/index.ts';
import { capturedSelection, covers } from '../../../src/engine/restore/select-entries.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import type { Progress } from '../../../src/foundation/progress.ts';
import type { Repository, RepositoryWriter } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { readBack, takeSnapshot, type LogLine } from '../../support/capture.ts';
import { deltasIn } from '../../support/delta-fixture.ts';
import { slowCommands } from '../../support/hold-commands.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { SOON_MS } from '../../support/patience.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { documentsOf, idText } from '../../support/settled.ts';
import { compareWithOracle, readOracle } from './oracle.ts';
import { createRandom } from './random.ts';

let servers: ReplicaSet;
let client: MongoClient;
let repository: Repository;
let uri: string;

before(async () => {
  servers = await startReplicaSet({ auth: true, parameters: { minSnapshotHistoryWindowInSeconds: 600, enableTestCommands: true } });
  await servers.createRole(BACKUP_ROLE);
  uri = await servers.createUser({ user: 'backup', password: 'x', roles: ['leafvaultBackup'] });
  client = await MongoClient.connect(servers.adminUri, { writeConcern: { w: 'majority' } });
  repository = await openTestRepository(createMemoryStorage(), { packBytes: 4 * 1024 * 1024 });
});

after(async () => {
  await client?.close(true);
  await repository?.close();
  await servers?.stop();
});

async function fill(db: string, name: string, count: number, bytes: number = 300): Promise<void> {
  await client.db(db).collection<Document>(name).insertMany(Array.from({ length: count }, (_, n) => ({ _id: n as never, n, pad: randomBytes(bytes / 2).toString('hex') })));
}

describe('the next snapshot of a collection of which little changed at random', () => {
  it('stores less than 3 % for 1 % of the documents, as deltas, and is as true to the source as the first', async () => {
    const selection = { databases: ['deltas'], collections: [] };
    const storage = createMemoryStorage();
    const own = await openTestRepository(storage, { packBytes: 1024 * 1024 });
    await fill('deltas', 'a', 12_000, 400);
    const first = await takeSnapshot({ uri, repository: own, selection });
    const a = client.db('deltas').collection<{ _id: number }>('a');
    const random = createRandom(7);
    for (let each = 0; each < 120; each += 1) await a.updateOne({ _id: random.below(12_000) }, { $inc: { n: 20_000 } });
    // One that ends a chunk would move a border, behind which bases are not found until the next chunk that stayed; where borders are is another matter with each key.
    const ends = new Set((await readBack(own, first.root)).get('deltas.a')!.chunks.scan.map((chunk) => idText(documentsOf([chunk]).at(-1)!)));
    const gone = [7, 4_444, 9_001].map((from) => [0, 1, 2, 3].map((more) => from + more).find((_id) => !ends.has(idText(Buffer.from(BSON.serialize({ _id })))))!);
    assert.equal((await a.deleteMany({ _id: { $in: gone } })).deletedCount, 3);
    await a.insertOne({ _id: 20_000 });
    const second = await takeSnapshot({ uri, repository: own, selection, previous: first.root });
    const deltas = await deltasIn(storage);
    assert.ok(deltas.length > 20, `${deltas.length} deltas`);
    assert.ok(second.root.stats.storedBytes < first.root.stats.storedBytes * 0.03, `${second.root.stats.storedBytes} bytes after ${first.root.stats.storedBytes}`);
    assert.ok(second.root.stats.newRawBytes > first.root.stats.newRawBytes * 0.4, 'most chunks are new');
    assert.deepEqual(compareWithOracle(await readBack(own, second.root), await readOracle(client, ['deltas'], second.body.pointInTime!)), []);
    assert.deepEqual((await own.check({ readData: true })).problems, []);
    await a.updateMany({ _id: { $in: [50, 6_050, 11_950] } }, { $set: { n: 0 } });
    const whole = await takeSnapshot({ uri, repository: own, selection, previous: second.root, deltas: false });
    assert.equal((await deltasIn(storage)).length, deltas.length, 'none is made where it says so; those that are there are known');
    assert.ok(whole.root.stats.newChunks < deltas.length, `${whole.root.stats.newChunks} new chunks`);
    await own.close();
  });
});

describe('a document whose _id keeps its value and changes its bytes', () => {
  it('is kept, once, with the bytes that it has at the end', async () => {
    await fill('bytes', 'a', 100);
    const change: readonly ((collection: ReturnType<ReturnType<MongoClient['db']>['collection']>) => Promise<unknown>)[] = [
      (a) => a.replaceOne({ _id: 1 as never }, { _id: new Double(1) as never, replaced: true }),
      (a) => a.updateOne({ _id: 2 as never }, [{ $set: { _id: Long.fromNumber(2), by: 'pipeline' } }]),
      (a) => client.withSession((session) => session.withTransaction(async () => {
        await a.replaceOne({ _id: 3 as never }, { _id: new Double(3) as never, inside: 'a transaction' }, { session });
        await a.updateOne({ _id: 4 as never }, { $set: { plain: true } }, { session });
      })),
      async (a) => {
        await a.replaceOne({ _id: 5 as never }, { _id: new Double(5) as never });
        await a.updateOne({ _id: 5 as never }, { $set: { after: true } });
        await a.replaceOne({ _id: 5 as never }, { _id: new Int32(5) as never, back: true });
      },
    ];
    const { root, body } = await takeSnapshot({
      uri, repository, selection: { databases: ['bytes'], collections: [] },
      onPhase: async (phase) => {
        if (phase === 'scanned') for (const each of change) await each(client.db('bytes').collection('a'));
      },
    });
    const oracle = await readOracle(client, ['bytes'], body.pointInTime!);
    assert.equal(oracle.get('bytes.a')?.documents.length, 100);
    assert.deepEqual(compareWithOracle(await readBack(repository, root), oracle), []);
  });
});

describe('a second snapshot', () => {
  it('stores less than 0.5 % when nothing changed', async () => {
    await fill('repeat', 'a', 30_000);
    const selection = { databases: ['repeat'], collections: [] };
    const first = await takeSnapshot({ uri, repository, selection });
    const second = await takeSnapshot({ uri, repository, selection, previous: first.root });
    assert.ok(second.root.stats.storedBytes < first.root.stats.storedBytes * 0.005, `${second.root.stats.storedBytes} of ${first.root.stats.storedBytes}`);
    assert.equal(second.body.source.member, first.body.source.member);
  });

  it('has at most one new chunk for each neighbour of a deleted document', async () => {
    const selection = { databases: ['repeat'], collections: [] };
    const before = await takeSnapshot({ uri, repository, selection });
    const known = new Set((await readBack(repository, before.root)).get('repeat.a')!.chunks.scan.map((chunk) => chunk.toString('latin1')));
    for (const n of [11, 14_321, 29_000]) {
      await client.db('repeat').collection<Document>('a').deleteOne({ _id: n as never });
      const { root } = await takeSnapshot({ uri, repository, selection, previous: before.root });
      const chunks = (await readBack(repository, root)).get('repeat.a')!.chunks.scan.map((chunk) => chunk.toString('latin1'));
      const fresh = chunks.filter((chunk) => !known.has(chunk));
      assert.ok(fresh.length >= 1 && fresh.length <= 2, `${fresh.length} of ${chunks.length} chunks are new`);
      for (const chunk of fresh) known.add(chunk);
    }
  });

  it('is cut as the first was, whatever the average size has become', async () => {
    await fill('mask', 'a', 2_000, 300);
    const selection = { databases: ['mask'], collections: [] };
    const first = await takeSnapshot({ uri, repository, selection });
    await client.db('mask').collection<Document>('a').insertMany(Array.from({ length: 1_000 }, (_, n) => ({ _id: (n + 5_000) as never, pad: 'x'.repeat(900) })));
    const second = await takeSnapshot({ uri, repository, selection, previous: first.root });
    const masks = await Promise.all([first, second].map(async ({ root }) => (await readBack(repository, root)).get('mask.a')!.body.cutMask));
    assert.equal(masks[1], masks[0]);
  });
});

describe('a snapshot', () => {
  it('holds every kind of collection as the server has it', async () => {
    const db = client.db('kinds');
    await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true }, expireAfterSeconds: 86_400_000 });
    await db.collection<Document>('clustered').insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: new Date(1.8e12 + n) as never, n })));
    await db.createCollection('collated', { collation: { locale: 'fr', strength: 1 }, validator: { a: { $type: 'string' } } });
    await db.collection('collated').insertOne({ a: 'é' });
    await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm', granularity: 'minutes' }, expireAfterSeconds: 1e9 });
    await db.collection('series').insertMany(Array.from({ length: 300 }, (_, n) => ({ t: new Date(1.8e12 + n * 1e5), m: { host: n % 3 }, v: n, loc: { type: 'Point', coordinates: [n % 90, 1] } })));
    await db.collection('series').createIndexes([{ key: { 'm.host': 1, t: -1 } }, { key: { v: 1 } }, { key: { loc: '2dsphere' } }]);
    await db.createCollection('plainSeries', { timeseries: { timeField: 'when' } });
    await db.createCollection('capped', { capped: true, size: 40_960, max: 100 });
    await db.collection('capped').insertMany(Array.from({ length: 250 }, (_, n) => ({ n })));
    await db.collection('indexed').createIndexes([
      { key: { a: 1, b: -1 }, unique: true, partialFilterExpression: { a: { $gt: 1 } } }, { key: { 'c.$**': 1 } }, { key: { d: 'hashed' } }, { key: { e: 'text', f: 'text' }, weights: { e: 3 } },
      { key: { g: '2dsphere' } }, { key: { h: 1 }, expireAfterSeconds: 3600 }, { key: { i: 1 }, hidden: true }, { key: { j: 1 }, collation: { locale: 'de' } }, { key: { k: 1 }, sparse: true },
    ]);
    await db.createCollection('empty');
    await db.createCollection('view', { viewOn: 'indexed', pipeline: [{ $match: { a: 1 } }], collation: { locale: 'de' } });
    await db.createCollection('viewOfSeries', { viewOn: 'series', pipeline: [] });
    await db.collection<Document>('system.js').insertOne({ _id: 'add' as never, value: 'function (a, b) { return a + b; }' });
    const { root, body } = await takeSnapshot({ uri, repository, selection: { databases: ['kinds'], collections: [] } });
    const entries = await readBack(repository, root);
    assert.ok(entries.delete('kinds.system.js'));
    assert.deepEqual(compareWithOracle(entries, await readOracle(client, ['kinds'], body.pointInTime!)), []);
    assert.equal(body.collections, 8);
  });

  it('folds the same kinds when they are made while it is taken', async () => {
    const db = client.db('folded');
    await fill('folded', 'waiting', 10);
    const { root, body } = await takeSnapshot({ uri, repository, selection: { databases: ['folded'], collections: [] }, onPhase: async (phase) => {
      if (phase !== 'listed') return;
      await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true }, expireAfterSeconds: 86_400 });
      await db.command({ collMod: 'clustered', expireAfterSeconds: 7_200 });
      await db.createCollection('collated', { collation: { locale: 'fr', strength: 1 }, validator: { a: { $type: 'string' } }, changeStreamPreAndPostImages: { enabled: true } });
      await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 1e9 });
      await db.command({ collMod: 'series', timeseries: { granularity: 'hours' } });
      await db.command({ collMod: 'series', expireAfterSeconds: 'off' });
      await db.collection('series').insertMany(Array.from({ length: 300 }, (_, n) => ({ t: new Date(1.8e12 + n * 1e5), m: n % 3, v: n })));
      await db.collection('series').createIndex({ v: 1, m: -1 });
      await db.createCollection('capped', { capped: true, size: 40_960, max: 100 });
      await db.collection('capped').insertMany(Array.from({ length: 250 }, (_, n) => ({ n })));
      await db.collection('indexed').createIndexes([{ key: { a: 1, '10': 1, '2': -1 }, unique: true }, { key: { h: 1 }, expireAfterSeconds: 3600 }, { key: { i: 1 }, hidden: true }, { key: { e: 'text' } }]);
      await db.command({ collMod: 'indexed', index: { name: 'h_1', expireAfterSeconds: 50 } });
      await db.command({ collMod: 'indexed', index: { name: 'i_1', hidden: false } });
      await db.createCollection('view', { viewOn: 'indexed', pipeline: [{ $match: { a: 1 } }] });
    } });
    assert.deepEqual(compareWithOracle(await readBack(repository, root), await readOracle(client, ['folded'], body.pointInTime!)), []);
  });

  it('scans a collection that was born while it was taken', async () => {
    const { root } = await takeSnapshot({ uri, repository, selection: { databases: ['born'], collections: [] }, onPhase: async (phase) => {
      if (phase === 'listed') await fill('born', 'large', 5_000);
      if (phase === 'listed') await fill('born', 'small', 50);
    } });
    const entries = await readBack(repository, root);
    assert.deepEqual([entries.get('born.large')!.scanned, entries.get('born.large')!.documents.length], [5_000, 5_000]);
    assert.deepEqual([entries.get('born.small')!.documents.length, entries.get('born.small')!.body.documents], [50, 50]);
  });

  it('scans what was born while it was taken, however far it is behind in the oplog', async () => {
    let late: { release: () => Promise<void> } | undefined;
    const { root } = await takeSnapshot({ uri, repository, selection: { databases: ['bornLate'], collections: [] }, onPhase: async (phase) => {
      if (phase === 'settled') await late?.release();
      if (phase !== 'scanned') return;
      late = await slowCommands(servers, ['getMore'], 1_000, { namespace: 'local.oplog.rs' });
      await fill('bornLate', 'large', 5_000);
    } });
    const large = (await readBack(repository, root)).get('bornLate.large')!;
    assert.deepEqual([large.scanned, large.documents.length], [5_000, 5_000]);
  });

  it('holds what was chosen only', async () => {
    await fill('chosen', 'a', 5);
    await fill('chosen', 'b', 5);
    await fill('other', 'c', 5);
    const { root } = await takeSnapshot({ uri, repository, selection: { databases: ['other'], collections: ['chosen.b'] } });
    assert.deepEqual([...(await readBack(repository, root)).keys()].sort(), ['chosen.b', 'other.c']);
  });

  it('names what it was told to take and did not find, and fails where that is all', async () => {
    const { missing } = await takeSnapshot({ uri, repository, selection: { databases: ['other', 'Other'], collections: ['chosen.b', 'chosen.gone'] } });
    assert.deepEqual(missing, ['Other', 'chosen.gone']);
    const nothing = takeSnapshot({ uri, repository, selection: { databases: ['Other'], collections: ['chosen.gone'] } });
    await assert.rejects(nothing, (error) => isLeafvaultError(error, 'CAPTURE_NOTHING_SELECTED') && /there is nothing of Other, chosen\.gone$/.test(error.message));
    assert.deepEqual((await takeSnapshot({ uri, repository, selection: { databases: [], collections: [], excluded: { databases: ['nowhere'], collections: [] } } })).missing, [], 'what is left out need not be there');
  });

  it('states what is left out where a program that knows no exclusions does not take it for everything', async () => {
    const selection = { databases: [], collections: [], excluded: { databases: ['other'], collections: ['chosen.a'] } };
    const { root, body } = await takeSnapshot({ uri, repository, selection });
    const namespaces = [...(await readBack(repository, root)).keys()];
    assert.deepEqual(['chosen.a', 'chosen.b', 'other.c'].filter((name) => namespaces.includes(name)), ['chosen.b']);
    assert.deepEqual([body.selection, capturedSelection(body)], [undefined, selection]);
    assert.deepEqual([covers(body.selection, 'other', 'c'), covers(capturedSelection(body), 'other', 'c'), covers(capturedSelection(body), 'chosen', 'b')], [false, false, true]);
  });

  it('scans a collection that gets a chosen name while it is taken', async () => {
    await fill('late', 'unwanted', 300);
    const { root } = await takeSnapshot({ uri, repository, selection: { databases: [], collections: ['late.wanted'] }, onPhase: async (phase) => {
      if (phase === 'scanned') await client.db('late').renameCollection('unwanted', 'wanted');
    } });
    assert.deepEqual([...(await readBack(repository, root)).values()].map(({ name, documents }) => [name, documents.length]), [['late.wanted', 300]]);
  });

  it('leaves out shadows of restores, and takes those that a swap made live', async () => {
    await fill('shadowed', '__lv_00.1', 20);
    await fill('shadowed', '__lv_00.2', 20);
    await fill('shadowed', 'live', 5);
    await client.db('__leafvault').collection<Document>('plans').insertOne({ _id: 'r' as never, shadows: ['shadowed.__lv_00.1', 'shadowed.__lv_00.2', 'shadowed.__lv_00.old1'] });
    const { root } = await takeSnapshot({ uri, repository, onPhase: async (phase) => {
      if (phase !== 'scanned') return;
      await client.db('shadowed').renameCollection('live', '__lv_00.old1');
      await client.db('shadowed').renameCollection('__lv_00.1', 'live');
    } });
    const entries = await readBack(repository, root);
    assert.deepEqual([...entries.keys()].filter((name) => name.startsWith('shadowed') || name.startsWith('__leafvault')), ['shadowed.live']);
    assert.equal(entries.get('shadowed.live')!.documents.length, 20);
    await client.db('__leafvault').dropDatabase();
  });

  it('holds users and roles, or goes without where they may not be read', async () => {
    const whole = await readBack(repository, (await takeSnapshot({ uri, repository })).root);
    assert.deepEqual([whole.get('admin.system.users')!.body.kind, whole.get('admin.system.roles')!.body.kind], ['users', 'roles']);
    assert.equal(whole.get('admin.system.users')!.documents.length, 2);
    const privileges = (BACKUP_ROLE.privileges as { resource: { db?: string; collection?: string } }[]).filter(({ resource }) => resource.db !== 'admin');
    await servers.createRole({ ...BACKUP_ROLE, createRole: 'withoutUsers', privileges });
    const lesser = await servers.createUser({ user: 'lesser', password: 'x', roles: ['withoutUsers'] });
    const lines: LogLine[] = [];
    const part = await readBack(repository, (await takeSnapshot({ uri: lesser, repository, onLog: (line) => void lines.push(line) })).root);
    assert.deepEqual([...part.keys()].filter((name) => name.startsWith('admin.')), []);
    assert.equal(lines.filter(({ msg }) => msg.includes('may not read')).length, 2);
  });

  it('names the member, and no more, where the account may not read', async () => {
    const stranger = await servers.createUser({ user: 'stranger', password: 'secret-of-a-stranger', roles: [] });
    await assert.rejects(takeSnapshot({ uri: stranger, repository }), (error: unknown) => {
      assert.ok(isLeafvaultError(error, 'SOURCE_PRIVILEGE_MISSING'), String(error));
      assert.match(error.message, /on 127\.0\.0\.1:\d+ failed: the account may not do this/);
      assert.doesNotMatch(JSON.stringify([error.message, error.details, error.hint]), /secret-of-a-stranger/);
      return true;
    });
  });

  it('keeps the order of a capped collection that is written to', async () => {
    const db = client.db('ring');
    await db.createCollection('log', { capped: true, size: 100_000, max: 400 });
    await db.collection('log').insertMany(Array.from({ length: 400 }, (_, n) => ({ n })));
    const append = async (from: number): Promise<void> => void (await db.collection('log').insertMany(Array.from({ length: 150 }, (_, n) => ({ n: from + n }))));
    const selection = { databases: ['ring'], collections: [] };
    const appended = await takeSnapshot({ uri, repository, selection, onPhase: async (phase) => { if (phase === 'scanned') await append(1_000); } });
    assert.deepEqual(compareWithOracle(await readBack(repository, appended.root), await readOracle(client, ['ring'], appended.body.pointInTime!)), []);
    const updated = await takeSnapshot({ uri, repository, selection, onPhase: async (phase) => {
      if (phase !== 'scanned') return;
      await append(2_000);
      await db.collection('log').updateOne({ n: 2_010 }, { $set: { n: 9_999 } });
      await db.collection('log').deleteOne({ n: 2_020 });
    } });
    assert.deepEqual(compareWithOracle(await readBack(repository, updated.root), await readOracle(client, ['ring'], updated.body.pointInTime!)), []);
  });

  it('settles while collections are renamed and dropped up to T1', async () => {
    await fill('storm', 'steady', 3_000);
    await fill('storm', 'a', 100);
    let on = true;
    const storm = async (): Promise<void> => {
      const db = client.db('storm');
      for (let i = 0; on; i += 1) {
        await db.renameCollection(i % 2 === 0 ? 'a' : 'b', i % 2 === 0 ? 'b' : 'a');
        await db.collection('steady').updateMany({ n: i % 3_000 }, { $set: { i } });
        await db.collection(`x${i % 3}`).insertMany([{ i }, { i }]);
        if (i % 3 === 2) await db.collection(`x${(i + 1) % 3}`).drop().catch(() => undefined);
      }
    };
    let blowing = Promise.resolve();
    const { root, body } = await takeSnapshot({ uri, repository, selection: { databases: ['storm'], collections: [] }, onPhase: async (phase) => {
      if (phase === 'listed') blowing = storm();
      if (phase === 'settled') on = false;
    } });
    on = false;
    await blowing;
    const entries = await readBack(repository, root);
    assert.equal(entries.get('storm.a')?.documents.length ?? entries.get('storm.b')?.documents.length, 100);
    const steady = await readOracle(client, ['storm'], body.pointInTime!, ['storm.steady']);
    assert.deepEqual(compareWithOracle(new Map([['s', entries.get('storm.steady')!]]), new Map([['s', steady.get('storm.steady')!]])), []);
    await client.db('storm').dropDatabase();
  });
});

describe('a capture', () => {
  it('begins again when the feature compatibility version changes', async () => {
    // Their time series have indexes that 5.0 does not know.
    for (const db of ['kinds', 'folded']) await client.db(db).dropDatabase();
    const lines: LogLine[] = [];
    let changed = false;
    await takeSnapshot({ uri, repository, onLog: (line) => void lines.push(line), onPhase: async (phase) => {
      if (phase !== 'scanned' || changed) return;
      changed = true;
      await client.db('admin').command({ setFeatureCompatibilityVersion: '5.0' });
      await client.db('admin').command({ setFeatureCompatibilityVersion: '6.0' });
    } });
    assert.match(String(lines.find(({ msg }) => msg === 'the capture begins again')?.reason), /feature compatibility version/);
  });

  it('tells how far it is, and ends at its totals', async () => {
    await fill('told', 'a', 4_000);
    const told: Progress[] = [];
    await takeSnapshot({ uri, repository, selection: { databases: ['told'], collections: [] }, limits: { bytesPerSecond: 600_000 }, onProgress: (progress) => void told.push(progress) });
    assert.deepEqual([...new Set(told.map(({ phase }) => phase))], ['list', 'scan', 'settle', 'store']);
    const last = told.filter(({ phase }) => phase === 'store')[0]!;
    assert.deepEqual([last.documentsDone, last.documentsTotal], [4_000, 4_000]);
    assert.equal(last.bytesDone, last.bytesTotal);
    assert.ok(told.some(({ namespace, documentsDone }) => namespace === 'told.a' && documentsDone > 0 && documentsDone < 4_000));
  });

  it('keeps below the limit of bytes per second', async () => {
    const began = performance.now();
    await takeSnapshot({ uri, repository, selection: { databases: ['told'], collections: [] }, limits: { bytesPerSecond: 1_000_000 } });
    assert.ok(performance.now() - began > 1_000, `${performance.now() - began} ms for 1.4 MB at 1 MB/s`);
  });

  for (const place of ['connected', 'listed', 'scanned', 'settled', 'stored']) {
    it(`ends within two seconds when it is cancelled once ${place}`, async () => {
      const cancel = new AbortController();
      let cancelledAt = 0;
      await assert.rejects(takeSnapshot({ uri, repository, signal: cancel.signal, onPhase: (phase) => {
        if (phase !== place) return Promise.resolve();
        cancelledAt = performance.now();
        cancel.abort(new Error('nobody wants it'));
        return new Promise(() => undefined);
      } }), /nobody wants it/);
      assert.ok(performance.now() - cancelledAt < SOON_MS);
    });
  }

  it('ends within two seconds when it is cancelled while storage stands still', async () => {
    const cancel = new AbortController();
    let cancelledAt = 0;
    await assert.rejects(takeSnapshot({ uri, repository: stalling(repository, () => {
      cancelledAt = performance.now();
      cancel.abort(new Error('nobody wants it'));
    }), signal: cancel.signal }), /nobody wants it/);
    assert.ok(performance.now() - cancelledAt < SOON_MS);
  });

  it('fails with the name of the stage that stands still', async () => {
    await assert.rejects(takeSnapshot({ uri, repository: stalling(repository, () => undefined), limits: { stallAfterMs: 600 } }), { code: 'CAPTURE_STALLED', message: /stage "scan"/ });
  });

  it('fails with the cause when a chunk cannot be stored', async () => {
    const failing = withWriter(repository, (writer) => ({ ...writer, putChunk: () => Promise.reject(new Error('the disk is full')) }));
    await assert.rejects(takeSnapshot({ uri, repository: failing }), /the disk is full/);
  });
});

/** The same repository, whose writer never takes a chunk. */
function stalling(inner: Repository, onChunk: () => void): Repository {
  return withWriter(inner, (writer) => ({ ...writer, putChunk: () => {
    onChunk();
    return new Promise(() => undefined);
  } }));
}

function withWriter(inner: Repository, change: (writer: RepositoryWriter) => RepositoryWriter): Repository {
  return { ...inner, hashSeed: inner.hashSeed, openReader: () => inner.openReader(), openWriter: async (options) => {
    const writer = await inner.openWriter(options);
    return change({
      sessionId: writer.sessionId, putChunk: (raw, records, options) => writer.putChunk(raw, records, options), openList: () => writer.openList(), addEntry: (entry) => writer.addEntry(entry),
      takeOver: (ref) => writer.takeOver(ref), suspend: () => writer.suspend(), commit: (root) => writer.commit(root), abort: () => writer.abort(), stats: writer.stats,
    });
  } };
}
