// Taking a live name for a time series, on two members of which one can be kept from acknowledging anything.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { BSON, MongoClient, type CollectionInfo, type Document } from 'mongodb';
import { bucketsOf, PLAN_COLLECTION } from '../../../../src/engine/mongo/namespaces.ts';
import type { CompleteOptions } from '../../../../src/engine/restore/complete/complete-restore.ts';
import { takeName } from '../../../../src/engine/restore/complete/take-name.ts';
import { uuidsOf } from '../../../../src/engine/restore/displace.ts';
import { openTarget, type Target } from '../../../../src/engine/restore/open-target.ts';
import type { TimeSeriesStep } from '../../../../src/engine/restore/plan.ts';
import { newId } from '../../../../src/foundation/ids.ts';
import { until } from '../../../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { SOON_MS } from '../../../support/patience.ts';

const SERIES = { timeseries: { timeField: 't', metaField: 'sensor' } };

describe('the name of a time series', () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let secondary: MongoClient;
  let target: Target;
  let isHeld = false;
  /** As the plan has them: with what the server fills in. */
  let wanted: string;

  before(async () => {
    servers = await startReplicaSet({ members: 2 });
    client = await MongoClient.connect(servers.uri, { writeConcern: { w: 1 } });
    secondary = await MongoClient.connect(servers.memberUri(1 - await servers.primary()));
    target = await openTarget(servers.uri);
    await client.db('shop').createCollection('example', SERIES);
    const [example] = await client.db('shop').listCollections({ name: 'example' }).toArray() as readonly CollectionInfo[];
    wanted = Buffer.from(BSON.serialize(example?.options as Document)).toString('base64');
  });

  after(async () => {
    await target?.close();
    await secondary?.close();
    await client?.close();
    await servers?.stop();
  });

  beforeEach(() => client.db('shop').dropDatabase({ writeConcern: { w: 'majority' } }));
  afterEach(letGo);

  it('is taken from the series that is replaced before a majority knows that it went', async () => {
    await client.db('shop').createCollection('weather', SERIES);
    const old = await bucketsNow();
    await hold();
    const taken = takeName(...optionsFor({ liveUuid: old }));
    const made = await until('the new series', async () => ((now) => now !== old && now)(await bucketsNow()), SOON_MS);
    await letGo();
    assert.equal(await taken, made);
  });

  it('is taken from a plain collection before a majority knows that it was moved aside', async () => {
    await client.db('shop').collection('weather').insertOne({ written: 'by an application' });
    await hold();
    const [options, step] = optionsFor({ liveUuid: null });
    const taken = takeName(options, step);
    const made = await until('the new series', bucketsNow, SOON_MS);
    await letGo();
    assert.equal(await taken, made);
    assert.deepEqual((await client.db('shop').collection(step.gaps[0] ?? '').find().toArray()).map(({ written }) => written as string), ['by an application']);
  });

  it('is told by the buckets that a majority has, not by those of a moment before', async () => {
    await hold();
    const taken = takeName(...optionsFor({ liveUuid: null }));
    await until('the wait for a majority', async () => await client.db('admin').aggregate([{ $currentOp: {} }, { $match: { 'command.update': PLAN_COLLECTION } }]).hasNext(), SOON_MS);
    const first = await bucketsNow();
    await client.db('shop').dropCollection('weather');
    await client.db('shop').createCollection('weather', SERIES);
    const second = await bucketsNow();
    await letGo();
    assert.notEqual(second, first);
    assert.equal(await taken, second);
  });

  it('is left free by a worker whose lease was lost while it dropped the old series', async () => {
    await client.db('shop').createCollection('weather', SERIES);
    const [options, step] = optionsFor({ liveUuid: await bucketsNow() });
    const lost = new Error('the lease is lost');
    const store = { ...options.store, hold: async () => { if ((await bucketsNow()) === null) throw lost; } };
    await assert.rejects(takeName({ ...options, store }, step), lost);
    assert.deepEqual(await client.db('shop').listCollections({ name: /weather/ }).toArray(), []);
  });

  function optionsFor({ liveUuid }: Pick<TimeSeriesStep, 'liveUuid'>): [CompleteOptions, TimeSeriesStep] {
    const nothing = async (): Promise<void> => undefined;
    const options = { target, plan: { restoreId: newId() }, store: { save: nothing, hold: nothing, settleCopy: nothing, forget: nothing } } as unknown as CompleteOptions;
    return [options, { db: 'shop', name: 'weather', shadow: '__lv_weather', liveUuid, options: wanted, gaps: [] } as unknown as TimeSeriesStep];
  }

  /** UUID of the live series' buckets, null without one. */
  async function bucketsNow(): Promise<string | null> {
    const name = bucketsOf('weather');
    return (await uuidsOf(target, 'shop', [name])).get(name) ?? null;
  }

  /** The secondary writes nothing from now on, and so no majority has anything new. */
  async function hold(): Promise<void> {
    await secondary.db('admin').command({ fsync: 1, lock: true });
    isHeld = true;
  }

  async function letGo(): Promise<void> {
    if (isHeld) await secondary.db('admin').command({ fsyncUnlock: 1 });
    isHeld = false;
  }
});
