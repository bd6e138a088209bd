// A mistake in the middle of the day is found in the time line and left out of a restore, and the rest of the day kept, on the real process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Timestamp } from 'mongodb';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource, until } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

const OWN = `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}`;

test('a mass delete is found, and left out; what builds on it is told first, and everything else of the day stays', async () => {
  await using source = await startSource(2_000);
  await using folder = await leafvaultFolder();
  const port = await freePort();
  const settings = settingsFor(source.uri, {}, { continuousBackup: true });
  const origin = `http://127.0.0.1:${port}`;
  const shop = source.client.db('shop');
  const orders = shop.collection<{ _id: number; state?: string }>('orders');
  const write = async (command: Record<string, unknown>): Promise<{ readonly oplogTs: number; readonly oplogInc: number }> => {
    const { operationTime } = await shop.command({ ...command, writeConcern: { w: 'majority' } });
    const { t, i } = operationTime as Timestamp;
    return { oplogTs: t, oplogInc: i };
  };

  const server = await startLeafvault({ folder, port, name: 'leafvault', settings });
  await until(() => call(origin, 'GET', `${OWN}/continuous`), ({ windows, state }) => (state === 'running' && (windows as unknown[]).length > 0 ? true : null));
  const begin = await write({ insert: 'invoices', documents: [{ _id: 1 }] });
  const held = await orders.find().sort({ _id: 1 }).toArray();
  await write({ delete: 'orders', deletes: [{ q: { _id: { $lt: 500 } }, limit: 0 }] });
  await orders.insertOne({ _id: 7, state: 'made again' } as never);
  await orders.updateOne({ _id: 600 }, { $set: { state: 'paid' } });
  const last = await write({ insert: 'invoices', documents: [{ _id: 2 }] });
  // A moment later: what was gathered is put away because somebody asks.
  const { body: line } = await call(origin, 'GET', `${OWN}/timeline?from=${begin.oplogTs}-${begin.oplogInc}&namespace=shop&threshold=100`);
  const marks = line['marks'] as { kind: string; words: string; leaveOut: object; restorable: boolean; justBefore: { oplogTs: number; oplogInc: number } }[];
  assert.deepEqual(marks.map(({ kind, restorable }) => [kind, restorable]), [['massDelete', true]], JSON.stringify(line));
  assert.match(marks[0]!.words, /^500 documents of shop\.orders were deleted (at|from) \d{4}-/);
  const found = await call(origin, 'GET', `${OWN}/timeline/operations?namespace=shop.orders&_id=7&from=${begin.oplogTs}-${begin.oplogInc}`);
  const [removal, again] = found.body['operations'] as { kind: string; position: string }[];
  assert.deepEqual([removal?.kind, again?.kind], ['delete', 'insert'], JSON.stringify(found.body));
  const one = await call(origin, 'GET', `${OWN}/timeline/operations/${again?.position}`);
  assert.deepEqual(one.body['object'], { _id: 7, state: 'made again' });
  const body = { instant: last, databases: ['shop'], leaveOut: [marks[0]!.leaveOut] };
  const ended = async (given: object): Promise<Record<string, unknown>> => {
    const made = await call(origin, 'POST', `${OWN}/restores`, given);
    assert.equal(made.status, 200, JSON.stringify(made.body));
    return until(() => call(origin, 'GET', `${OWN}/restores/${String(made.body.id)}`), (restore) => (['completed', 'failed'].includes(String((restore['job'] as Record<string, unknown>)['state'])) ? restore : null));
  };
  const refused = (await ended(body))['job'] as Record<string, unknown>;
  assert.deepEqual([refused['state'], refused['errorCode']], ['failed', 'RESTORE_LEAVE_OUT_DEPENDENTS'], await server.log());
  assert.match(String(refused['message']), /1 later operations build on it: the insert at \d+:\d+ on shop\.orders, _id .*7.* \(takes its place\)/);
  assert.match(String(refused['hint']), /dependents: apply/);
  assert.equal(await orders.countDocuments({ _id: { $lt: 500 } }), 1, 'nothing was changed');

  const done = await ended({ ...body, dependents: 'apply' });
  assert.equal((done['job'] as Record<string, unknown>)['state'], 'completed', await server.log());
  const { operations, dependents } = done['leftOut'] as { operations: number; dependents: Record<string, number> };
  assert.deepEqual([operations, dependents], [500, { applied: 0, overwrites: 1, skipped: 0, moot: 0 }]);
  assert.equal(await orders.countDocuments({ _id: { $lt: 500 } }), 500);
  assert.deepEqual([(await orders.findOne({ _id: 7 }))?.state, (await orders.findOne({ _id: 600 }))?.state], ['made again', 'paid']);
  assert.deepEqual(await shop.collection('invoices').distinct('_id'), [1, 2]);

  // Or the whole database as it was just before, through the door that is used anyway.
  const { oplogTs, oplogInc } = marks[0]!.justBefore;
  const target = { targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name };
  const atlas = await call(origin, 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'pointInTime', ...target, oplogTs, oplogInc });
  assert.equal(atlas.status, 200, JSON.stringify(atlas.body));
  const job = await until(() => call(origin, 'GET', `${BACKUP}/restoreJobs/${String(atlas.body.id)}`), (each) => (each.finishedAt !== undefined || each.failed === true ? each : null));
  assert.equal(job.failed, false, await server.log());
  assert.deepEqual(await orders.find().sort({ _id: 1 }).toArray(), held);
  assert.equal(await server.stop(), 0);
});
