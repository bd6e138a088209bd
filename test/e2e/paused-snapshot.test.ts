// A snapshot of the whole program that is paused, released, killed: each next process goes on where the one before was.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Document } from 'mongodb';
import { slowCommands } from '../support/hold-commands.ts';
import { BACKUP, call, CLUSTER, endOfSnapshot, PROJECT, restore, settingsFor, startSource, until, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

const OWN = `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}`;
const JOBS = `${OWN}/jobs`;
const WIDE = 12_000;

describe('a snapshot that was paused', { timeout: 900_000 }, () => {
  let source: Source;
  let folder: LeafvaultFolder;
  let leafvault: LeafvaultProcess;
  let port: number;
  let starts = 0;

  before(async () => {
    [source, folder, port] = await Promise.all([startSource(2_000, { parameters: { enableTestCommands: 1 } }), leafvaultFolder(), freePort()]);
    const wide = source.client.db('shop').collection<Document>('wide');
    for (let from = 0; from < WIDE; from += 1_000) await wide.insertMany(Array.from({ length: 1_000 }, (_, n) => ({ n: from + n, pad: `${from + n} `.repeat(800) })));
    await start();
  });
  after(async () => {
    await leafvault?.kill();
    await source?.[Symbol.asyncDispose]();
    await folder?.remove();
  });

  async function start(): Promise<void> {
    leafvault = await startLeafvault({ folder, port, settings: settingsFor(source.uri), name: `start${starts++}` });
  }
  const given = async (): Promise<number> => Number((await source.mongo.admin({ serverStatus: 1 })).metrics.document.returned);
  const job = (id: string, done: (body: Record<string, unknown>) => unknown): Promise<Record<string, unknown>> => until(() => call(leafvault.origin, 'GET', `${JOBS}/${id}`), (body) => (done(body) === true ? body : null));
  const isAt = (documents: number) => ({ state, documentsDone }: Record<string, unknown>): boolean => {
    assert.notEqual(state, 'completed', 'too quick');
    return state === 'running' && Number(documentsDone) > documents;
  };
  async function write(mark: string): Promise<void> {
    const shop = source.client.db('shop');
    await shop.collection('wide').updateMany({ n: { $lt: 30 } }, { $set: { mark } });
    await shop.collection('orders').deleteMany({ _id: { $lt: 3 } as never });
    await shop.collection<Document>(mark).insertOne({ mark });
  }
  const content = async (): Promise<Document> => ((await source.client.db('shop').command({ dbHash: 1 })) as { readonly collections: Document }).collections;

  test('goes on in other processes, after a stop and after a kill, and is restored to what the source held', async () => {
    // Each reply of a scan behind the first takes longer than any two looks at the job are apart: each of the four is seen.
    const slow = await slowCommands(source.mongo, ['getMore'], 5_000);
    const asked = await call(leafvault.origin, 'POST', `${BACKUP}/snapshots`, { description: 'test', retentionInDays: 1 });
    const snapshotId = String(asked.body.id);
    const listed = (await call(leafvault.origin, 'GET', `${OWN}/snapshots`)).body['results'] as readonly { readonly id: string; readonly jobId: string }[];
    const id = String(listed.find((each) => each.id === snapshotId)?.jobId);

    await job(id, isAt(2_000 + WIDE * 0.2));
    assert.equal((await call(leafvault.origin, 'POST', `${JOBS}/${id}/pause`)).status, 200);
    const rested = await job(id, ({ state }) => state === 'queued');
    await leafvault.kill();
    await write('paused');

    // A stop in the middle keeps it too.
    await start();
    const before = await given();
    assert.equal((await call(leafvault.origin, 'POST', `${JOBS}/${id}/resume`)).status, 200);
    const first = await job(id, ({ state }) => state === 'running');
    assert.ok(documentsOf(first) >= Math.min(documentsOf(rested), 2_000 + WIDE * 0.2), `${documentsOf(first)} after ${documentsOf(rested)}`);
    await job(id, isAt(2_000 + WIDE * 0.5));
    assert.equal(await leafvault.stop(), 0);
    await write('stopped');

    await start();
    await job(id, isAt(2_000 + WIDE * 0.7));
    await leafvault.kill();
    await write('killed');
    await slow.release();
    const wanted = await content();

    await start();
    assert.equal((await endOfSnapshot(leafvault.origin, snapshotId)).status, 'completed', await leafvault.log());
    // What the killed one had read since the stop is read twice.
    const read = (await given()) - before;
    assert.ok(read < 1.25 * WIDE, `${read} documents were read after the pause`);
    assert.deepEqual((await call(leafvault.origin, 'GET', `${JOBS}/${id}`)).body['warnings'], []);

    await source.client.db('shop').dropDatabase();
    assert.equal((await restore(leafvault.origin, snapshotId)).failed, false, await leafvault.log());
    assert.deepEqual(await content(), wanted);
  });
});

function documentsOf({ documentsDone }: Record<string, unknown>): number {
  return Number(documentsDone);
}
