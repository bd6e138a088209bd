// A store that fails at any call of the capture of a real server: what was finished stays, the repository opens and checks clean, what says that
// it was committed holds the source's documents, and the next capture succeeds.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { readBack, takeSnapshot } from '../../support/capture.ts';
import { createFaultyStorage, isOutlived, ODD_MODES, strikeCalls, strikeInTurn, type FaultMode } from '../../support/faulty-storage.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { collect, copyToMemory, openTestRepository } from '../../support/repository-fixture.ts';

const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const MODES = LONG ? (['stop', 'stop after', 'fail once', 'lose answer'] as const) : (['stop', 'stop after', 'lose answer'] as const);

describe('a capture over a store that fails', { timeout: 900_000 }, () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let first: SnapshotRoot;
  const contents = new Map<'first' | 'second', Readonly<Record<string, readonly string[]>>>();
  const base = createMemoryStorage();

  before(async () => {
    server = await startReplicaSet();
    client = new MongoClient(server.uri);
    await fill('orders', 0, 600);
    const repository = await openTestRepository(base);
    first = (await takeSnapshot({ uri: server.uri, repository })).root;
    contents.set('first', await contentOf(repository, first));
    await repository.close();
    await fill('orders', 600, 900);
    await fill('visits', 0, 300);
    await client.db('shop').collection('orders').updateMany({ i: { $mod: [7, 0] } }, { $set: { text: 'changed since' } });
    const whole = await openTestRepository(await copyToMemory(base));
    contents.set('second', await contentOf(whole, (await takeSnapshot({ uri: server.uri, repository: whole, previous: first })).root));
    await whole.close();
  });
  after(async () => {
    await client?.close();
    await server?.stop();
  });

  const fill = async (name: string, from: number, to: number): Promise<void> => {
    await client.db('shop').collection(name).insertMany(Array.from({ length: to - from }, (_, i) => ({ _id: (from + i) as never, i: from + i, text: `${name} ${from + i} `.repeat(30) })));
  };
  const contentOf = async (repository: Repository, root: SnapshotRoot): Promise<Readonly<Record<string, readonly string[]>>> =>
    Object.fromEntries([...await readBack(repository, root)].filter(([name]) => name.startsWith('shop.')).map(([name, { documents }]) => [name, documents.map((each) => each.toString('latin1')).sort()]));

  for (const mode of MODES) {
    test(`at any call loses nothing that was finished, and the next one is whole (${mode})`, async (context) => {
      let failed = 0;
      const calls = await strikeCalls(context, async (call) => {
        const outcome = await strikeAt(call, mode);
        if (outcome === 'failed') failed += 1;
        return outcome !== 'through';
      });
      context.diagnostic(`${failed} captures failed`);
      assert.ok(calls > 10, `only ${calls} calls`);
      assert.ok(isOutlived(mode) || failed > 0);
    });
  }

  test('at any write or list, which comes twice, late, in another order or in part, loses nothing that was finished, and the next one is whole', async (context) => {
    await strikeInTurn(context, ODD_MODES, 4, async (call, mode, turn) => (await strikeAt(call, mode, turn)) !== 'through');
  });

  /**
   * @param turn whether what is late comes before anybody looks, or behind that
   * @returns `through` where it was so before the call came
   */
  async function strikeAt(call: number, mode: FaultMode, turn = 0): Promise<'through' | 'failed' | 'committed'> {
    const storage = await copyToMemory(base);
    const faulty = createFaultyStorage(storage, call, mode);
    const committed = await attempt(faulty);
    if (!faulty.struck) return 'through';
    const where = `call ${call}, ${mode}`;
    assert.ok(committed !== null || !isOutlived(mode), `${where}: a try that may be repeated was given up`);
    if (turn % 2 === 0) await faulty.arrive();
    const repository = await openTestRepository(storage);
    try {
      const roots = await collect(repository.listSnapshots());
      assert.ok(roots.some(({ id }) => id === first.id) && (committed === null || roots.some(({ id }) => id === committed)), where);
      assert.deepEqual((await repository.check({ readData: true })).problems, [], where);
      // One whose answer was lost is there, too, and as whole as any.
      for (const root of roots) assert.deepEqual(await contentOf(repository, root), contents.get(root.id === first.id ? 'first' : 'second'), where);
      await faulty.arrive();
      const { root: next } = await takeSnapshot({ uri: server.uri, repository, previous: first });
      assert.deepEqual(await contentOf(repository, next), contents.get('second'), where);
      if (ODD_MODES.includes(mode)) assert.deepEqual((await repository.check({ readData: true })).problems, [], where);
    } finally {
      await repository.close();
    }
    return committed === null ? 'failed' : 'committed';
  }

  /** Its id where it says that it was committed; null where it failed, by name. */
  async function attempt(storage: Storage): Promise<string | null> {
    try {
      const repository = await openTestRepository(storage);
      try {
        return (await takeSnapshot({ uri: server.uri, repository, previous: first })).root.id;
      } finally {
        await repository.close();
      }
    } catch (error) {
      assert.ok(isLeafvaultError(error) && /^(?:REPOSITORY|STORAGE|SNAPSHOT)_/.test(error.code), error instanceof Error ? error.stack : String(error));
      return null;
    }
  }
});
