import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Db, UUID } from 'mongodb';
import { createLogger } from '../../../src/foundation/logger.ts';
import { dropNamed } from '../../../src/engine/restore/drop-named.ts';
import { openTarget, type Target } from '../../../src/engine/restore/open-target.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';

describe('dropping by the names of a plan', () => {
  let server: ReplicaSet;
  let target: Target;
  let db: Db;

  before(async () => {
    server = await startReplicaSet();
    target = await openTarget(server.uri);
    db = target.db('shop');
  });

  after(async () => {
    await target?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    await db.dropDatabase();
    await db.collection('plain').insertOne({});
    await db.createCollection('series', { timeseries: { timeField: 't' } });
    await db.createCollection('view', { viewOn: 'plain', pipeline: [] });
  });

  test('takes what still is what the plan made, and what the plan knows no UUID of', async () => {
    await drop({ plain: await uuidOf('plain'), series: await uuidOf('system.buckets.series'), view: null });
    assert.deepEqual(await names(), []);
  });

  test('leaves what has another UUID to whoever made it', async () => {
    const [plain, series] = await Promise.all([uuidOf('plain'), uuidOf('system.buckets.series')]);
    await Promise.all([db.dropCollection('plain'), db.dropCollection('series')]);
    await db.collection('plain').insertOne({ whose: 'not ours' });
    await db.createCollection('series', { timeseries: { timeField: 't' } });
    await drop({ plain, series });
    assert.deepEqual(await names(), ['plain', 'series', 'view']);
  });

  test('passes over what is gone, and drops nothing once the lease is lost', async () => {
    const plain = await uuidOf('plain');
    await assert.rejects(drop({ gone: plain, plain }, () => Promise.reject(new Error('lost'))), /lost/);
    assert.deepEqual(await names(), ['plain', 'series', 'view']);
  });

  function drop(uuids: Readonly<Record<string, string | null>>, before?: () => Promise<void>): Promise<void> {
    return dropNamed(target, Object.entries(uuids).map(([name, uuid]) => ({ db: 'shop', name, uuid })), createLogger('silent'), before);
  }

  async function uuidOf(name: string): Promise<string> {
    const [listed] = await db.listCollections({ name }, { nameOnly: false }).toArray();
    return (listed?.info?.uuid as UUID).toHexString(false);
  }

  async function names(): Promise<string[]> {
    return (await db.listCollections({ name: { $not: /^system\./ } }).toArray()).map(({ name }) => name).sort();
  }
});
