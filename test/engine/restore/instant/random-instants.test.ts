// A random workload, the real tailer and a real capture: at random instants a restore has to hold what the source held,
// byte by byte. LEAFVAULT_REPLAY_SEED tells the seed.
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { MongoClient, type Document } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { RestoreOptions, RestoreResult, SnapshotBody } from '../../../../src/engine/contracts.ts';
import { RESTORE_ROLE } from '../../../../src/engine/mongo/roles.ts';
import { restoreSnapshot } from '../../../../src/engine/restore/index.ts';
import type { Repository, SnapshotRoot } from '../../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { takeSnapshot } from '../../../support/capture.ts';
import { keepOplog, type KeptOplog } from '../../../support/kept-oplog.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { kindsOfEntry, OPLOG_KINDS } from '../../../support/oplog-kinds.ts';
import { insertAsIs, oddDocuments, storeZeroTimestamps } from '../../../support/odd-corpus.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';
import { restoreWorld } from '../../../support/restore-world.ts';
import { compareOracles, readOracle } from '../../backup/oracle.ts';
import { openOplogSource } from '../../replay/oplog-source.ts';
import { CATALOG_KINDS, createInstantWorkload, writeOdd, type InstantWorkload, type Place } from './instant-workload.ts';

const SEED = Number(process.env.LEAFVAULT_REPLAY_SEED ?? 20261126);
const LONG = process.env.LEAFVAULT_LONG_TESTS !== undefined;
const ROUNDS = LONG ? 7 : 3;
const OPERATIONS = LONG ? 120 : 40;

let from: ReplicaSet;
let to: ReplicaSet;
let client: MongoClient;
let target: MongoClient;
let targetUri: string;
let repository: Repository;
let oplog: KeptOplog;
let root: SnapshotRoot;
let base: SnapshotBody;
let workload: InstantWorkload;
const places: Place[] = [];

before(async () => {
  from = await startReplicaSet({ oplogSizeMB: 990, parameters: { minSnapshotHistoryWindowInSeconds: 900 } });
  to = await startReplicaSet({ auth: true, oplogSizeMB: 990 });
  await to.createRole(RESTORE_ROLE);
  targetUri = await to.createUser({ user: 'leafvault', password: 'secret', roles: ['leafvaultRestore'] });
  client = new MongoClient(from.memberUri(0));
  target = new MongoClient(to.adminUri);
  await client.db('admin').command({ createUser: 'worker', pwd: 'x', roles: [] });
  repository = await openTestRepository(createMemoryStorage());
  workload = createInstantWorkload(client, await openOplogSource(client), SEED, 'worker');
  await insertAsIs(client, 'work', 'odd', oddDocuments());
  await storeZeroTimestamps(client, 'work', 'odd');
  await workload.prepare();
  oplog = await keepOplog(from.memberUri(0), repository);
  await workload.write(30, takeBase);
  for (let round = 0; round < ROUNDS; round += 1) await playRound(round);
  await oplog.reach(await workload.source.now());
});

after(async () => {
  await oplog?.stop();
  await client?.close();
  await target?.close();
  await repository?.close();
  await from?.stop();
  await to?.stop();
});

/** Beside writers of documents, and beside every kind of change of the catalog: some before the scan, some beside it, some while its instant is looked for. */
async function takeBase(): Promise<void> {
  const third = (n: number): Promise<void> => workload.change(CATALOG_KINDS.filter((_, index) => index % 3 === n));
  let beside: Promise<void> | undefined;
  const taken = await takeSnapshot({
    uri: from.memberUri(0), repository,
    onPhase: async (phase) => {
      if (phase === 'listed') await third(0).then(() => { beside = third(1); });
      if (phase === 'scanned') await beside?.then(() => { beside = third(2); });
    },
  });
  await beside;
  ({ root, body: base } = taken);
}

/** Kinds of the entries behind one position up to another. */
async function kindsBetween(after: ClusterTime, to: ClusterTime): Promise<Set<string>> {
  return new Set((await workload.source.entries(after)).filter(({ time }) => compareClusterTimes(time, to) <= 0).flatMap(({ raw }) => kindsOfEntry(raw)));
}

async function playRound(round: number): Promise<void> {
  const begin = await workload.source.now();
  await writeOdd(client, round);
  await workload.write(OPERATIONS);
  places.push(...(await workload.placesAmong(begin, LONG ? 2 : 1)));
  const kinds = CATALOG_KINDS.filter((_, index) => round < 3 ? index % 3 === round : true);
  await workload.change(kinds);
  await workload.write(10);
  places.push(await workload.place(`after round ${round}`));
}

async function restoreTo(border: ClusterTime, changes: Partial<RestoreOptions> = {}): Promise<RestoreResult> {
  await using world = await restoreWorld(repository, root, targetUri, { instant: oplog.instant(border), timeSeries: 'replace', usersAndRoles: true, ...changes });
  return await restoreSnapshot(world.options);
}

/** Of the account that the workload changes. */
async function customData(server: MongoClient): Promise<unknown> {
  return ((await server.db('admin').command({ usersInfo: 'worker' })).users as Document[])[0]?.customData;
}

async function assertHolds(place: Place, context: TestContext): Promise<void> {
  const found = await readOracle(target, workload.databases, await (await openOplogSource(target)).now());
  const compared = new Map([...found].filter(([, each]) => place.capped || !each.capped));
  assert.deepEqual(compareOracles(compared, place.held), [], `${place.label} (seed ${SEED})`);
  context.diagnostic(`${place.label}: ${compared.size} collections and views, ${[...compared.values()].reduce((sum, { documents }) => sum + documents.length, 0)} documents`);
}

describe('a restore to an instant', { timeout: 900_000 }, () => {
  test('has a base that was taken beside changes of the catalog, and every kind to replay behind it', async (context) => {
    const beside = await kindsBetween(base.beganAt!, base.pointInTime!);
    context.diagnostic(`between T0 and T1 of the base: ${[...beside].sort().join(', ')}`);
    for (const kind of ['drop', 'create', 'rename over another', 'collMod', 'commitIndexBuild', 'view']) assert.ok(beside.has(kind), kind);
    const replayed = await kindsBetween(base.pointInTime!, places.at(-1)!.time);
    assert.deepEqual(OPLOG_KINDS.filter((kind) => !replayed.has(kind)), []);
  });

  test('holds what the source held there, byte by byte', async (context) => {
    for (const place of places) {
      // An account that is there is left as it is by the merge.
      await to.admin({ dropUser: 'worker' }).catch(() => undefined);
      const { collections } = await restoreTo(place.time);
      assert.deepEqual(collections.flatMap(({ failedIndexes }) => failedIndexes), []);
      await assertHolds(place, context);
      assert.deepEqual(await customData(target), place.user);
    }
  });
});
