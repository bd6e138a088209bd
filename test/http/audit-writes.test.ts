// What the audit tells of a change whose process died before it answered.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { clientConfigOf } from '../../src/catalog/connection.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { startExternal, type TestDatabase } from '../support/postgres.ts';
import { openRealDoors, ORDERS, SHOP, type RealDoors } from '../support/real-doors.ts';
import { startDoorsChild } from '../support/start-catalog-child.ts';

const SNAPSHOTS = `/groups/${SHOP}/clusters/orders/backup/snapshots`;
const ASKED = { description: 'by hand', retentionInDays: 1 };
let database: TestDatabase;
let doors: RealDoors;

before(async () => {
  database = await startExternal();
  doors = await openRealDoors(database, systemClock);
});
after(async () => {
  await doors?.close();
  await database?.stop();
});

async function eventsTold(): Promise<readonly unknown[]> {
  const { json } = await doors.atlas('GET', `/groups/${SHOP}/events`);
  return (json['results'] as readonly { readonly eventTypeName: string; readonly username?: string; readonly clusterName?: string }[]).map(({ eventTypeName, clusterName }) => [eventTypeName, clusterName]);
}

test('a change whose process is killed before it answers is told with an unknown outcome', async () => {
  const { catalog } = doors;
  const held = new pg.Client(clientConfigOf(catalog.address, catalog.schema));
  await held.connect();
  try {
    // No outcome can be written as long as this connection has the lock.
    await held.query(`create function hold_outcomes() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(4711); return new; end $$`);
    await held.query('create trigger hold_outcomes before update on audit_events for each row execute function hold_outcomes()');
    await held.query('select pg_advisory_lock(4711)');
    const child = startDoorsChild({ database: database.database, schema: catalog.schema, path: SNAPSHOTS, body: ASKED });
    const waiting = async (): Promise<boolean> => (await held.query("select 1 from pg_locks where locktype = 'advisory' and objid = 4711 and not granted")).rows.length > 0;
    let isOver = false;
    void child.exited().then(() => { isOver = true; });
    while (!(await waiting())) {
      assert.ok(!isOver, 'the process ended by itself');
      await delay(20);
    }
    await child.kill();
    const { totalCount } = await catalog.jobs.list({ clusterIds: [ORDERS] }, { pageNumber: 1, itemsPerPage: 1 });
    assert.equal(totalCount, 1, 'the change is made');
    assert.deepEqual(await eventsTold(), [['CPS_ON_DEMAND_SNAPSHOT_REQUESTED_OUTCOME_UNKNOWN', 'orders']]);
  } finally {
    // First the lock: what still waits for it holds the table. Its client is gone, so that it is rolled back.
    await held.query('select pg_advisory_unlock_all()');
    await held.query('drop trigger if exists hold_outcomes on audit_events');
    await held.end();
  }
  assert.equal((await doors.atlas('POST', SNAPSHOTS, { body: ASKED })).status, 200);
  assert.deepEqual(await eventsTold(), [['CPS_ON_DEMAND_SNAPSHOT_REQUESTED', 'orders'], ['CPS_ON_DEMAND_SNAPSHOT_REQUESTED_OUTCOME_UNKNOWN', 'orders']]);
});
