// What a pin or a hold keeps no door deletes, nor does age, a schedule, or the end of a cluster; on a real catalog, with facts in a repository.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createChores, createRetentionChores, openPostgresQueue, type Chore, type PostgresQueue } from '../../src/jobs/index.ts';
import type { KeepKind } from '../../src/domain/keeps.ts';
import { newId } from '../../src/foundation/ids.ts';
import type { Repository } from '../../src/repository/index.ts';
import { createMemoryStorage } from '../../src/storage/index.ts';
import { OUTCOME } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { COPY, openRealDoors, ORDERS, SHOP, type DoorAnswer, type RealDoors } from '../support/real-doors.ts';
import { collect, openTestRepository, readSnapshot, writeSnapshot } from '../support/repository-fixture.ts';

const DAY_MS = 86_400_000;
const CLUSTER = `/groups/${SHOP}/clusters/orders`;
const CONTENT = { a: [Buffer.from('what has to stay')] };

describe('a pin or a hold', () => {
  let database: TestDatabase;
  let clock: FakeClock;
  let doors: RealDoors;
  let queue: PostgresQueue;
  let repository: Repository;
  let chores: readonly Chore[];

  before(async () => {
    database = await startEmbedded();
    clock = fakeClock(OUTCOME.capturedAt);
    doors = await openRealDoors(database, clock);
    queue = await openPostgresQueue({ catalog: doors.catalog, log: silent });
    repository = await openTestRepository(createMemoryStorage(), { clock });
    chores = [
      ...createChores({ catalog: doors.catalog, queue, clock, repositories: { forProject: () => Promise.resolve(repository) } }),
      ...createRetentionChores({ catalog: doors.catalog, clock, log: silent, repositories: () => Promise.resolve([repository]) }),
    ];
  });
  after(async () => {
    await queue?.close();
    await doors?.close();
    await repository?.close();
    await database?.stop();
  });

  const run = async (name: RegExp): Promise<void> => chores.find((chore) => name.test(chore.name))!.run(AbortSignal.timeout(60_000));
  /** Whole, in catalog and repository; kept 7 days. */
  const taken = async (clusterName = 'orders'): Promise<string> => {
    clock.advance(1_000);
    const { json, text } = await doors.atlas('POST', `/groups/${SHOP}/clusters/${clusterName}/backup/snapshots`, { body: { retentionInDays: 7 } });
    const id = String(json['id']);
    assert.match(id, /^[0-9a-f]{24}$/, text);
    await doors.catalog.snapshots.complete(id, { ...OUTCOME, capturedAt: clock.now(), expiresAt: new Date(clock.now().getTime() + 7 * DAY_MS) });
    await doors.catalog.transaction((tx) => tx.executeSql("update jobs set state = 'completed', finished_at = created_at where snapshot_id = $1", [id]));
    await writeSnapshot(repository, CONTENT, id);
    return id;
  };
  const own = (id: string, kind: KeepKind, cluster = ORDERS): string => `/api/leafvault/v1/groups/${SHOP}/clusters/${cluster}/snapshots/${id}/${kind}`;
  const isThere = async (id: string): Promise<boolean> => (await doors.catalog.snapshots.get(id))?.deletedAt === null;
  const refused = async (answer: Promise<DoorAnswer>, errorCode = 'CANNOT_DELETE_KEPT_SNAPSHOT'): Promise<void> => {
    const { status, json, text } = await answer;
    assert.deepEqual([status, json['errorCode'] ?? json['code']], [409, errorCode], text);
  };

  test('keeps every door from deleting the snapshot, and names who set it and why', async () => {
    const id = await taken();
    const set = await doors.bearer('PUT', own(id, 'hold'), { reason: 'case 12' });
    assert.deepEqual([set.status, (set.json['hold'] as { readonly reason: string }).reason], [200, 'case 12'], set.text);
    const snapshot = `/groups/${SHOP}/clusters/${ORDERS}/snapshots/${id}`;
    await refused(doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${id}`));
    await refused(doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/shardedCluster/${id}`));
    await refused(doors.bearer('DELETE', `/api/atlas/v1.0${CLUSTER}/backup/snapshots/${id}`));
    await refused(doors.opsManager('DELETE', snapshot));
    // An expiry that went by is a deletion in Ops Manager.
    await refused(doors.opsManager('PATCH', snapshot, { expires: '2026-03-01T11:00:00Z' }));
    assert.match((await doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${id}`)).text, /case 12/);
    await refused(doors.bearer('PUT', own(id, 'hold'), { reason: 'case 13' }), 'SNAPSHOT_KEPT');
    assert.equal(await doors.catalog.snapshots.markDeleted(id), false, 'whoever asks the catalog');
    assert.ok(await isThere(id));
    assert.equal((await doors.bearer('DELETE', own(id, 'hold'))).status, 200);
    assert.equal((await doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${id}`)).status, 204);
  });

  test('needs a reason where it is a hold, and none as a pin; what failed is not kept', async () => {
    const id = await taken();
    for (const body of [undefined, { reason: '  ' }, { reason: 'x'.repeat(1_001) }]) {
      const { status, json } = await doors.bearer('PUT', own(id, 'hold'), body);
      assert.deepEqual([status, json['code']], [400, 'REASON_INVALID']);
    }
    assert.equal((await doors.bearer('PUT', own(id, 'pin'))).status, 200);
    const again = await doors.bearer('PUT', own(id, 'pin'), { reason: 'another' });
    assert.deepEqual([again.status, (again.json['pin'] as { readonly reason: unknown }).reason], [200, null], 'the first one stays');
    const list = await doors.bearer('GET', `/api/leafvault/v1/groups/${SHOP}/clusters/${ORDERS}/snapshots`);
    const [newest] = list.json['results'] as { readonly id: string; readonly pin: object | null; readonly hold: object | null; readonly capturedAt: unknown; readonly expiresAt: unknown }[];
    assert.deepEqual([newest?.id, newest?.pin !== null, newest?.hold], [id, true, null]);
    const { capturedAt, expiresAt } = (await doors.catalog.snapshots.get(id))!;
    assert.deepEqual([newest?.capturedAt, newest?.expiresAt], [capturedAt?.toISOString(), expiresAt.toISOString()]);
    await doors.catalog.transaction((tx) => tx.executeSql("update snapshots set state = 'failed' where id = $1", [id]));
    assert.equal((await doors.bearer('PUT', own(id, 'hold'), { reason: 'case 12' })).json['code'], 'SNAPSHOT_NOT_COMPLETE');
    assert.equal((await doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${id}`)).status, 204, 'it stands for nothing');
    assert.equal((await doors.bearer('PUT', own(newId(), 'pin'))).status, 404);
  });

  test('is stronger than age and prune, is told to the repository, and leaves a day when it goes', async () => {
    const [old, next] = [await taken(), await taken()];
    assert.equal((await doors.opsManager('PATCH', `/groups/${SHOP}/clusters/${ORDERS}/snapshots/${old}`, { doNotDelete: true })).json['doNotDelete'], true);
    await run(/telling/);
    assert.deepEqual((await collect(repository.listFacts(old))).map(({ kind, body }) => [kind, body['kept']]), [['pin', true]]);
    clock.advance(400 * DAY_MS);
    await taken();
    await run(/time is over/);
    assert.deepEqual([await isThere(old), await isThere(next)], [true, false]);
    await run(/telling/);
    await repository.prune();
    assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(old)), CONTENT);
    const back = await doors.opsManager('PATCH', `/groups/${SHOP}/clusters/${ORDERS}/snapshots/${old}`, { doNotDelete: false });
    assert.deepEqual([back.json['doNotDelete'], Date.parse(String(back.json['expires'])) - clock.now().getTime()], [false, DAY_MS]);
    clock.advance(DAY_MS - 1);
    await run(/time is over/);
    assert.equal(await isThere(old), true);
    clock.advance(1);
    await run(/time is over/);
    assert.equal(await isThere(old), false);
    await run(/telling/);
    await repository.prune();
    await assert.rejects(repository.loadSnapshot(old), { code: 'REPOSITORY_SNAPSHOT_MISSING' });
  });

  test('is stronger than a schedule whose item goes, and than the end of its cluster', async () => {
    const daily = { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 };
    const schedule = `/groups/${SHOP}/clusters/copy/backup/schedule`;
    await doors.atlas('PATCH', schedule, { body: { policies: [{ policyItems: [daily] }] } });
    const [{ items: [item] }] = [await doors.services.schedules.get((await doors.catalog.clusters.get(COPY))!)];
    const scheduled = async (): Promise<string> => {
      const id = await taken('copy');
      await doors.catalog.transaction((tx) => tx.executeSql("update snapshots set policy_items = $1, type = 'scheduled', expiry_by_hand = false where id = $2", [JSON.stringify([{ ...item, extraDays: 0 }]), id]));
      return id;
    };
    const [pinned, loose, newest] = [await scheduled(), await scheduled(), await scheduled()];
    assert.equal((await doors.bearer('PUT', own(pinned, 'pin', COPY))).status, 200);
    const changed = await doors.atlas('PATCH', schedule, { body: { policies: [{ policyItems: [{ ...daily, frequencyType: 'weekly' }] }], deleteSnapshots: true } });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual([await isThere(pinned), await isThere(loose), await isThere(newest)], [true, false, true]);
    assert.equal((await doors.atlas('DELETE', `/groups/${SHOP}/clusters/copy`)).status, 202);
    assert.deepEqual([await isThere(pinned), await isThere(newest)], [true, false]);
    assert.deepEqual((await doors.catalog.clusters.kept(SHOP)).map(({ id }) => id), [COPY], 'it is found under the name of the cluster');
  });
});
