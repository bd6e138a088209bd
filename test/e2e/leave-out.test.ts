// A mistake in the middle of the day is left out of a restore, and the rest of the day kept, on the real process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Timestamp } from 'mongodb';
import { call, CLUSTER, PROJECT, settingsFor, startSource, until } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

const OWN = `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}`;

test('a mass delete is left out, what builds on it is told first, and everything else of the day stays', async () => {
  await using source = await startSource(2_000);
  await using folder = await leafvaultFolder();
  const port = await freePort();
  const settings = settingsFor(source.uri) as { organizations: { projects: { clusters: unknown[] }[] }[] };
  settings.organizations[0]!.projects[0]!.clusters = [{ ...CLUSTER, uri: source.uri, continuousBackup: true }];
  const start = (name: string): Promise<LeafvaultProcess> => startLeafvault({ folder, port, name, settings });
  const origin = `http://127.0.0.1:${port}`;
  const shop = source.client.db('shop');
  const orders = shop.collection<{ _id: number; state?: string }>('orders');
  const write = async (command: Record<string, unknown>): Promise<{ readonly oplogTs: number; readonly oplogInc: number }> => {
    const { operationTime } = await shop.command({ ...command, writeConcern: { w: 'majority' } });
    const { t, i } = operationTime as Timestamp;
    return { oplogTs: t, oplogInc: i };
  };

  const first = await start('first');
  await until(() => call(origin, 'GET', `${OWN}/continuous`), ({ windows, state }) => (state === 'running' && (windows as unknown[]).length > 0 ? true : null));
  const from = await write({ insert: 'invoices', documents: [{ _id: 1 }] });
  const to = await write({ delete: 'orders', deletes: [{ q: { _id: { $lt: 500 } }, limit: 0 }] });
  await orders.insertOne({ _id: 7, state: 'made again' } as never);
  await orders.updateOne({ _id: 600 }, { $set: { state: 'paid' } });
  const last = await write({ insert: 'invoices', documents: [{ _id: 2 }] });
  // A clean stop puts the slice that was begun.
  assert.equal(await first.stop(), 0);

  const second = await start('second');
  const body = { instant: last, databases: ['shop'], leaveOut: [{ namespace: 'shop.orders', kind: 'delete', from, to }] };
  const ended = async (given: object): Promise<Record<string, unknown>> => {
    const made = await call(origin, 'POST', `${OWN}/restores`, given);
    assert.equal(made.status, 200, JSON.stringify(made.body));
    return until(() => call(origin, 'GET', `${OWN}/restores/${String(made.body.id)}`), (restore) => (['completed', 'failed'].includes(String((restore['job'] as Record<string, unknown>)['state'])) ? restore : null));
  };
  const refused = (await ended(body))['job'] as Record<string, unknown>;
  assert.deepEqual([refused['state'], refused['errorCode']], ['failed', 'RESTORE_LEAVE_OUT_DEPENDENTS'], await second.log());
  assert.match(String(refused['message']), /1 later operations build on it: the insert at \d+:\d+ on shop\.orders, _id .*7.* \(takes its place\)/);
  assert.match(String(refused['hint']), /dependents: apply/);
  assert.equal(await orders.countDocuments({ _id: { $lt: 500 } }), 1, 'nothing was changed');

  const done = await ended({ ...body, dependents: 'apply' });
  assert.equal((done['job'] as Record<string, unknown>)['state'], 'completed', await second.log());
  const { operations, dependents } = done['leftOut'] as { operations: number; dependents: Record<string, number> };
  assert.deepEqual([operations, dependents], [500, { applied: 0, overwrites: 1, skipped: 0, moot: 0 }]);
  assert.equal(await orders.countDocuments({ _id: { $lt: 500 } }), 500);
  assert.deepEqual([(await orders.findOne({ _id: 7 }))?.state, (await orders.findOne({ _id: 600 }))?.state], ['made again', 'paid']);
  assert.deepEqual(await shop.collection('invoices').distinct('_id'), [1, 2]);
  assert.equal(await second.stop(), 0);
});
