import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MongoClient, type Document } from 'mongodb';
import { RESTORE_ROLE } from '../../../src/engine/mongo/roles.ts';
import type { RestoreOptions } from '../../../src/engine/contracts.ts';
import { restoreSnapshot } from '../../../src/engine/restore/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { restoreWorld } from '../../support/restore-world.ts';

const NAMES = ['a', 'b', 'c'];

describe('a swap under applications that write all the time', () => {
  for (const members of [1, 3]) {
    test(`ends new on ${members} member(s), and every acknowledged write is live, old or kept`, { timeout: 900_000 }, () => underWriters(members, async ({ client, options, written, stop }) => {
      const result = await restoreSnapshot(options);
      await stop();
      for (const name of NAMES) {
        assert.equal(await client.db('shop').collection<{ _id: string }>(name).countDocuments({ _id: /^snapshot/ }), 100);
        await assertNothingLost(client, name, written, result.movedAside);
      }
    }));
  }

  test('is put back when it fails at its end, and every acknowledged write is live or kept', { timeout: 900_000 }, () => underWriters(1, async ({ client, options, written, stop }) => {
    const before = new Map<string, string>();
    for (const { name, info } of (await client.db('shop').listCollections({}, { nameOnly: false }).toArray()) as Document[]) before.set(String(name), String(info?.uuid));
    const failure = new Error('of the test');
    await assert.rejects(restoreSnapshot({ ...options, onPhase: async (phase) => {
      if (phase === 'swap:commit') throw failure;
    } }), (error) => error === failure);
    await stop();
    const [plan] = await client.db('__leafvault').collection('plans').find().toArray();
    const kept = (plan?.['shadows'] ?? []) as string[];
    const listed = (await client.db('shop').listCollections({}, { nameOnly: false }).toArray()) as Document[];
    assert.deepEqual(listed.map(({ name }) => `shop.${name}`).sort(), [...NAMES.map((name) => `shop.${name}`), ...kept].sort());
    for (const name of NAMES) {
      assert.equal(String(listed.find((each) => each.name === name)?.info?.uuid), before.get(name));
      await assertNothingLost(client, name, written, kept);
    }
  }));
});

interface Busy {
  /** As root. */
  readonly client: MongoClient;
  readonly options: RestoreOptions;
  /** Ids of acknowledged inserts, by collection. */
  readonly written: ReadonlyMap<string, readonly string[]>;
  stop(): Promise<void>;
}

/** Three writers for each collection, a snapshot from before they began, an account with only leafvaultRestore. */
async function underWriters(members: number, use: (busy: Busy) => Promise<void>): Promise<void> {
  await using server = await startReplicaSet({ members, auth: true });
  await server.createRole(RESTORE_ROLE);
  const uri = await server.createUser({ user: 'leafvault', password: 'restores', roles: ['leafvaultRestore'] });
  await using client = new MongoClient(server.adminUri) as MongoClient & AsyncDisposable;
  const db = client.db('shop');
  for (const name of NAMES) await db.collection(name).insertMany(Array.from({ length: 100 }, (_, i) => ({ _id: `snapshot ${i}` as never })));
  const repository = await openTestRepository(createMemoryStorage());
  const root = await buildSnapshot(server.adminUri, { repository });
  let writing = true;
  const written = new Map(NAMES.map((name) => [name, [] as string[]]));
  const writers = NAMES.flatMap((name) => Array.from({ length: 3 }, async (_, writer) => {
    for (let n = 0; writing; n++) {
      const _id = `${name} ${writer} ${n}`;
      await db.collection<{ _id: string }>(name).insertOne({ _id });
      written.get(name)?.push(_id);
    }
  }));
  const stop = async (): Promise<void> => {
    writing = false;
    await Promise.all(writers);
  };
  try {
    await using world = await restoreWorld(repository, root, uri, { oldCollections: 'keep' });
    await use({ client, options: world.options, written, stop });
  } finally {
    writing = false;
    await Promise.allSettled(writers);
    await repository.close();
  }
}

async function assertNothingLost(client: MongoClient, name: string, written: Busy['written'], kept: readonly string[]): Promise<void> {
  const found = new Set<string>();
  for (const place of [name, ...kept.map((each) => each.slice('shop.'.length))]) {
    for (const { _id } of await client.db('shop').collection<{ _id: string }>(place).find().toArray()) found.add(_id);
  }
  assert.ok((written.get(name)?.length ?? 0) > 0);
  assert.deepEqual(written.get(name)?.filter((id) => !found.has(id)), []);
}
