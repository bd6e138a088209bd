// A restore to an instant that rests: what is loaded, folded and replayed is not done again, however far it had come. The oplog of the target
// tells what was written to each collection that went live, and how often.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { RestoreOptions } from '../../../../src/engine/contracts.ts';
import { restoreSnapshot, settleRestore } from '../../../../src/engine/restore/index.ts';
import { parsePlan } from '../../../../src/engine/restore/plan.ts';
import { systemClock } from '../../../../src/foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../../../../src/foundation/errors.ts';
import type { RepositoryReader } from '../../../../src/repository/repository.ts';
import { createLocalStorage } from '../../../../src/storage/index.ts';
import { refuseCommands } from '../../../support/hold-commands.ts';
import { fileJournal, type RestoreChildOptions } from '../../../support/restore-child.ts';
import { contentOfServer, restoreWorld, type RestoreWorld } from '../../../support/restore-world.ts';
import { INTO_COPY, startSmallSource, type SmallSource } from './small-source.ts';

const CHILD = join(import.meta.dirname, '../../../support/restore-child.ts');
/** Of `words`, which has a collation and so one lane: a thousand operations go at once, and the next thousand waits for them. */
const [WORDS, ROUNDS] = [500, 8];
const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const ONLY_LONG = LONG ? false : 'long: the short form rests twice among the operations, in the load and before the swap';
/** Where the next worker dies, and whether what rested outlives it. */
const KILLS = LONG ? [['prepare', true], ['load', false], ['replay', false], ['swap', false]] as const : [['prepare', true]] as const;
const PAUSED = new LeafvaultError('JOBS_PAUSED', 'paused');
const rests = (reason: unknown): boolean => isLeafvaultError(reason, 'JOBS_PAUSED');

describe('a restore to an instant that rests', { timeout: 240_000 }, () => {
  let folder: string;
  let small: SmallSource;
  let border: ClusterTime;
  let wanted: Record<string, string>;
  let damaged: Record<string, string>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-instant-rest-'));
    small = await startSmallSource(createLocalStorage(join(folder, 'repository')), async (client) => {
      const shop = client.db('shop');
      await shop.createCollection('words', { collation: { locale: 'de', strength: 2 } });
      await shop.collection<Document>('words').insertMany(Array.from({ length: WORDS }, (_, n) => ({ _id: n as never, text: `word ${n}`.padEnd(400, '.') })));
      await shop.collection('words').createIndex({ text: 1 }, { name: 'by text' });
      await shop.collection<Document>('orders').insertMany(Array.from({ length: 100 }, (_, n) => ({ _id: n as never, text: `order ${n}`.padEnd(300, '.') })));
      await shop.createCollection('log', { capped: true, size: 1024 * 1024, max: 20 });
      await shop.collection('log').insertMany(Array.from({ length: 20 }, (_, n) => ({ n, text: '.'.repeat(200) })));
      await shop.collection('people').insertMany(Array.from({ length: 10 }, (_, n) => ({ n, text: '.'.repeat(100) })));
      await shop.collection('still').insertMany(Array.from({ length: 5 }, (_, n) => ({ n })));
      await shop.collection('alone').insertOne({ smallest: true });
    });
    const shop = small.client.db('shop');
    for (let round = 0; round < ROUNDS; round += 1) {
      await shop.collection('words').updateMany({}, { $set: { round } });
      await shop.collection('log').insertOne({ round });
      await shop.collection<Document>('orders').updateOne({ _id: round as never }, { $set: { round } });
    }
    await shop.collection<Document>('orders').deleteOne({ _id: 99 as never });
    await shop.collection<Document>('people').updateMany({}, { $set: { met: true } });
    border = await small.here();
    wanted = only('shop', await contentOfServer(small.server.uri));
    await shop.collection('words').deleteMany({});
  });
  after(async () => {
    await small?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await small.client.db('copy').dropDatabase();
    await small.client.db('copy').collection('words').insertOne({ damaged: true });
    damaged = only('copy', await contentOfServer(small.server.uri));
  });

  const worldOf = (changes: Partial<RestoreOptions> = {}): Promise<RestoreWorld> =>
    restoreWorld(small.repository, small.root, small.server.uri, { selection: INTO_COPY, instant: small.oplog.instant(border), rests, ...changes });
  /** Runs until `changes` has paused it. */
  const paused = async (world: RestoreWorld, changes: (pause: () => void) => Partial<RestoreOptions>): Promise<void> => {
    const pausing = new AbortController();
    await assert.rejects(restoreSnapshot({ ...world.options, signal: pausing.signal, ...changes(() => pausing.abort(PAUSED)) }), { code: 'JOBS_PAUSED' });
    const live = Object.fromEntries(Object.entries(only('copy', await contentOfServer(small.server.uri))).filter(([name]) => !name.startsWith('__lv_')));
    assert.deepEqual(live, damaged, 'what is live is as it was');
  };
  const inPhase = (wanted: string) => (pause: () => void): Partial<RestoreOptions> => ({ onPhase: async (phase) => void (phase === wanted && pause()) });
  /** Among the operations: once the first batch was applied, while the second is waiting for it. Each step is told, since the clock runs ahead. */
  const amongOperations = (pause: () => void): Partial<RestoreOptions> => {
    let ms = 0;
    return { clock: { ...systemClock, monotonicMs: () => (ms += 1_000) }, onProgress: ({ phase, documentsDone }) => void (phase === 'replay' && documentsDone >= 1_000 && pause()) };
  };
  const restedIn = async (world: RestoreWorld): Promise<Record<string, ClusterTime | null | undefined>> =>
    Object.fromEntries(parsePlan((await world.journal.load())!).rested.map(({ from, instant }) => [from, instant?.to]).sort());
  /** What was written to each collection that is live now, by the oplog: every write of every attempt that had a part in it. */
  const writes = async (): Promise<Record<string, Record<string, number>>> => {
    const counts: Record<string, Record<string, number>> = {};
    for (const { name, info } of await small.client.db('copy').listCollections().toArray() as unknown as { name: string; info: { uuid: unknown } }[]) {
      const groups = await small.client.db('local').collection('oplog.rs').aggregate<{ _id: string; n: number }>([{ $match: { ui: info.uuid, op: { $in: ['i', 'u', 'd'] } } }, { $group: { _id: '$op', n: { $sum: 1 } } }]).toArray();
      counts[name] = Object.fromEntries(groups.map(({ _id, n }) => [_id, n]).sort());
    }
    return counts;
  };
  const ONCE = {
    words: { i: WORDS, u: WORDS * ROUNDS }, orders: { d: 1, i: 100, u: ROUNDS }, people: { i: 10, u: 10 }, still: { i: 5 }, alone: { i: 1 },
  };
  /** A capped collection cuts itself, which is logged as deletes. */
  const assertOnce = async (): Promise<void> => {
    const { log, ...others } = await writes();
    assert.deepEqual(others, ONCE);
    assert.equal(log?.i, 20 + ROUNDS);
  };
  const goesOn = async (world: RestoreWorld, changes: Partial<RestoreOptions> = {}): Promise<string[]> => {
    const told: string[] = [];
    await restoreSnapshot({ ...world.options, ...changes, onProgress: ({ phase, documentsDone, documentsTotal }) => void told.push(`${phase} ${documentsDone}/${documentsTotal}`) });
    assert.deepEqual(only('copy', await contentOfServer(small.server.uri)), wanted, 'it is the instant');
    assert.equal(await small.client.db('__leafvault').collection('plans').countDocuments(), 0);
    return told;
  };
  /** Chunks of documents that are read. */
  const counting = (reader: RepositoryReader): { readonly reader: RepositoryReader; read: number } => {
    const counts = {
      read: 0,
      reader: Object.create(reader, { chunks: { value: async function* chunks(...what: Parameters<RepositoryReader['chunks']>) {
        for await (const chunk of reader.chunks(...what)) {
          counts.read += 1;
          yield chunk;
        }
      } } }) as RepositoryReader,
    };
    return counts;
  };

  for (const phase of LONG ? ['replay', 'indexes', 'prove', 'swap'] : ['swap']) {
    test(`as its ${phase} begins reads and writes nothing again, and proves all of it`, async () => {
      await using world = await worldOf();
      await paused(world, inPhase(phase));
      assert.deepEqual(await restedIn(world), Object.fromEntries(Object.keys(await rowsOf()).map((name) => [`shop.${name}`, phase === 'replay' ? null : border])));
      const counts = counting(world.reader);
      const told = await goesOn(world, { reader: counts.reader });
      assert.equal(counts.read, 0, 'no chunk of the base was read');
      await assertOnce();
      assert.ok(told.some((line) => /^prove 635\/635$/.test(line)), `all documents were read back: ${told.filter((line) => line.startsWith('prove')).join(', ')}`);
    });
  }

  test('among the operations goes on behind the last one that was applied', { skip: ONLY_LONG }, async () => {
    await using world = await worldOf();
    await paused(world, amongOperations);
    const [first, ...others] = Object.values(await restedIn(world));
    assert.equal(others.length, 5);
    assert.ok(first != null && (first.t < border.t || first.i < border.i), 'between the base and the border');
    for (const each of others) assert.deepEqual(each, first, 'all stand at one instant');
    const counts = counting(world.reader);
    await goesOn(world, { reader: counts.reader });
    assert.equal(counts.read, 0);
    await assertOnce();
  });

  test('twice among the operations, and once before it had taken anything over, does each of them once', async () => {
    await using world = await worldOf();
    await paused(world, amongOperations);
    const [first] = Object.values(await restedIn(world));
    await paused(world, inPhase('prepare'));
    assert.deepEqual(Object.values(await restedIn(world))[0], first, 'what had rested still does');
    await paused(world, inPhase('replay'));
    await paused(world, (pause) => {
      const { clock, onProgress } = amongOperations(pause);
      return { clock: clock!, onProgress: ({ documentsDone, ...progress }) => onProgress!({ ...progress, documentsDone: documentsDone - 2_000 }) };
    });
    const [second] = Object.values(await restedIn(world));
    assert.ok(second != null && first != null && (second.t > first.t || second.i > first.i), 'it came further');
    await goesOn(world);
    await assertOnce();
  });

  test('among the documents of its base keeps the collections that are whole, and loads the others', async () => {
    await using world = await worldOf();
    // Four are loaded at once, the largest first. It waits with its first chunk until the smallest, the sixth, is begun: two others are whole by then.
    await paused(world, (pause) => {
      const smallest = Promise.withResolvers<void>();
      const reader = Object.create(world.reader, { chunks: { value: async function* chunks(...what: Parameters<RepositoryReader['chunks']>) {
        for await (const chunk of world.reader.chunks(...what)) {
          if (chunk.raw.includes('word 1')) await smallest.promise;
          if (chunk.raw.includes('smallest')) {
            pause();
            smallest.resolve();
          }
          yield chunk;
        }
      } } }) as RepositoryReader;
      return { reader };
    });
    const kept = Object.keys(await restedIn(world));
    assert.ok(kept.length >= 2 && !kept.includes('shop.words') && !kept.includes('shop.alone'), kept.join());
    const before = await shadowUuids();
    await goesOn(world);
    await assertOnce();
    const now = await rowsOf();
    for (const from of kept) assert.ok(before.has(now[from.slice('shop.'.length)] ?? ''), `${from} is the collection that was loaded before`);
    assert.ok(!before.has(now['words'] ?? ''));
  });

  test('loads and replays anew what is gone, beside what is there', { skip: ONLY_LONG }, async () => {
    await using world = await worldOf();
    await paused(world, amongOperations);
    const [orders] = await small.client.db('copy').listCollections({ name: /^__lv_/ }).toArray().then((all) => Promise.all(all.map(async ({ name }) => ({ name, n: await small.client.db('copy').collection(name).countDocuments({ text: /^order/ }) })))).then((all) => all.filter(({ n }) => n > 0));
    await small.client.db('copy').collection(orders?.name ?? '').drop();
    await goesOn(world);
    await assertOnce();
  });

  test('never goes live with what somebody wrote to it meanwhile', async () => {
    await using world = await worldOf();
    await paused(world, amongOperations);
    const [any] = await small.client.db('copy').listCollections({ name: /^__lv_/ }).toArray();
    await small.client.db('copy').collection(any?.name ?? '').insertOne({ stranger: true });
    await assert.rejects(restoreSnapshot(world.options), { code: 'RESTORE_PROOF_FAILED' });
    assert.deepEqual(only('copy', await contentOfServer(small.server.uri)), damaged, 'and it is rolled back');
  });

  test('begins anew where it was on the way to another instant', { skip: ONLY_LONG }, async () => {
    await using world = await worldOf();
    const later = await small.here();
    await paused({ ...world, options: { ...world.options, instant: small.oplog.instant(later) } }, inPhase('replay'));
    await goesOn(world);
    await assertOnce();
  });

  test('keeps nothing of what it does not know how far it came', async () => {
    await using world = await worldOf();
    let isPaused = false;
    let letGo = async (): Promise<number> => 0;
    // Each batch is fenced by a save: the one that waits as the pause comes loses its connection.
    const journal = { ...world.journal, save: async (plan: Readonly<Record<string, unknown>>) => {
      if (isPaused) letGo = await refuseCommands(small.server, ['applyOps'], 'all', { closeConnection: true });
      await world.journal.save(plan);
    } };
    await paused(world, (pause) => ({ journal, ...amongOperations(() => {
      isPaused = true;
      pause();
    }) }));
    assert.deepEqual(Object.keys(await restedIn(world)), ['shop.alone', 'shop.people', 'shop.still'], 'what the operations had not come to');
    await letGo();
    await goesOn(world);
    await assertOnce();
  });

  test('is whole after its next worker was killed, wherever that was', async () => {
    for (const [where, isKept] of KILLS) {
      await small.client.db('copy').dropDatabase();
      await small.client.db('copy').collection('words').insertOne({ damaged: true });
      damaged = only('copy', await contentOfServer(small.server.uri));
      await using world = await worldOf();
      const journal = fileJournal(join(folder, `${world.options.restoreId}.json`));
      const inFile = { ...world, options: { ...world.options, journal } };
      await paused(inFile, amongOperations);
      const rested = await shadowUuids();
      await killedAt(where, world.options.restoreId);
      await goesOn(inFile);
      await assertOnce();
      assert.equal(rested.has((await rowsOf())['words'] ?? ''), isKept, `killed in ${where}`);
    }
  });

  test('is taken away by its settlement', { skip: ONLY_LONG }, async () => {
    await using world = await worldOf();
    await paused(world, amongOperations);
    assert.equal(await settleRestore(world.options), 'old');
    assert.deepEqual(only('copy', await contentOfServer(small.server.uri)), damaged);
  });

  async function killedAt(where: string, restoreId: string): Promise<void> {
    const options: RestoreChildOptions = {
      restoreId, uri: small.server.uri, repositoryFolder: join(folder, 'repository'), snapshotId: small.root.id, journalFile: join(folder, `${restoreId}.json`), tempFolder: folder,
      changes: { selection: INTO_COPY }, instant: { chainId: small.oplog.chainId, border },
    };
    const child = fork(CHILD, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await new Promise<void>((resolve, reject) => {
      child.on('message', ({ step, failed }: { step?: string; failed?: string }) => {
        if (failed !== undefined) reject(new Error(failed));
        if (step === where) child.kill('SIGKILL');
        else if (step !== undefined) child.send('go');
      });
      child.on('error', reject);
      child.on('exit', (_code, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error('it was not killed'))));
    });
  }

  async function shadowUuids(): Promise<Set<string>> {
    return new Set(Object.entries(await listed()).filter(([name]) => name.startsWith('__lv_')).map(([, uuid]) => uuid));
  }
  async function rowsOf(): Promise<Record<string, string>> {
    const all = Object.entries(await listed('shop'));
    const copies = await listed();
    return Object.fromEntries(all.map(([name]) => [name, copies[name] ?? '']));
  }
  async function listed(db = 'copy'): Promise<Record<string, string>> {
    const all = await small.client.db(db).listCollections().toArray() as unknown as { name: string; info: { uuid: unknown } }[];
    return Object.fromEntries(all.map(({ name, info }) => [name, String(info.uuid)]));
  }
});

/** The collections of one database, by their names in it. */
function only(db: string, content: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(content).filter(([name]) => name.startsWith(`${db}.`)).map(([name, text]) => [name.slice(db.length + 1), text]));
}
