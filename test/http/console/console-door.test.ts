import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { createLogger } from '../../../src/foundation/logger.ts';
import { buildServer, consoleDoor, type HttpServer, type Readiness } from '../../../src/http/index.ts';
import type { Overview } from '../../../src/services/contracts.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { servicesInMemory } from '../../support/services-in-memory.ts';

const READY: Readiness = { catalog: true, repository: true, worker: true };
type OverviewRead = Awaited<ReturnType<Overview['read']>>;
let server: HttpServer | null = null;

afterEach(async () => { await server?.close(); });

async function setUp({ readiness = async () => READY, overview = OVERVIEW }: { readiness?: () => Promise<Readiness>; overview?: OverviewRead } = {}) {
  const clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
  server = await buildServer({
    services: servicesInMemory(), facades: [], log: createLogger('silent'), clock, publicUrl: 'http://127.0.0.1:27080',
    plugins: [consoleDoor({ readiness, overview: { read: async () => overview }, clock, version: '0.1.0' })],
    version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
  });
  return server.app;
}

const UNTAGGED = { tags: [], labels: [], terminationProtection: false, backupState: 'started', namespaceFilter: null, deletedAt: null } as const;
const OVERVIEW: OverviewRead = {
  clusters: [
    {
      cluster: {
        id: '5f0000000000000000000004', projectId: '5f0000000000000000000003', name: 'orders', createdAt: new Date(0), hosts: ['db.internal:27017'],
        replicaSetName: 'rs0', mongodbVersion: '6.0.5', lastSuccessAt: new Date('2026-03-01T11:00:00Z'), lastProvenAt: new Date('2026-03-01T10:00:00Z'), continuousBackup: true, ...UNTAGGED,
      },
      projectName: 'shop "west"', backupState: 'started', snapshots: 3, storageSizeBytes: 5_000, dataSizeBytes: 20_000, recoveryPointAt: new Date('2026-03-01T10:58:20Z'),
      continuous: { state: 'warning', lagSeconds: 42, headroomSeconds: 7200, slices: 10, rawBytes: 90_000, storedBytes: 30_000 },
    },
    {
      cluster: {
        id: '5f0000000000000000000005', projectId: '5f0000000000000000000003', name: 'new', createdAt: new Date(0), hosts: ['db2.internal:27017'],
        replicaSetName: null, mongodbVersion: null, lastSuccessAt: null, lastProvenAt: null, continuousBackup: false, ...UNTAGGED,
      },
      projectName: 'shop "west"', backupState: 'inactive', snapshots: 0, storageSizeBytes: null, dataSizeBytes: null, recoveryPointAt: null, continuous: null,
    },
  ],
  jobs: [{ kind: 'snapshot', state: 'completed', count: 3 }, { kind: 'restore', state: 'failed', count: 1 }],
};

describe('GET /healthz', () => {
  test('is 200 as long as the process answers', async () => {
    const app = await setUp({ readiness: async () => ({ ...READY, catalog: false }) });
    assert.equal((await app.inject({ url: '/healthz' })).statusCode, 200);
  });
});

describe('GET /readyz', () => {
  test('is 200 when every part is ready', async () => {
    const answer = await (await setUp()).inject({ url: '/readyz' });
    assert.deepEqual([answer.statusCode, answer.json()], [200, { status: 'ready', ...READY }]);
  });

  for (const part of ['catalog', 'repository', 'worker'] as const) {
    test(`is 503 and names the ${part} when that is not ready`, async () => {
      const answer = await (await setUp({ readiness: async () => ({ ...READY, [part]: false }) })).inject({ url: '/readyz' });
      assert.deepEqual([answer.statusCode, answer.json()], [503, { status: 'not ready', ...READY, [part]: false }]);
    });
  }

  test('is 503 when a part cannot be asked', async () => {
    const answer = await (await setUp({ readiness: async () => { throw new Error('postgres://secret'); } })).inject({ url: '/readyz' });
    assert.equal(answer.statusCode, 503);
    assert.ok(!answer.body.includes('secret'));
  });
});

describe('GET /metrics', () => {
  test('tells last success, last proof and recovery point of every cluster', async () => {
    const answer = await (await setUp()).inject({ url: '/metrics' });
    assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/);
    const labels = '{project="shop \\"west\\"",project_id="5f0000000000000000000003",cluster="orders",cluster_id="5f0000000000000000000004"}';
    for (const line of [
      `leafvault_last_success_timestamp_seconds${labels} 1772362800`, `leafvault_last_proven_timestamp_seconds${labels} 1772359200`,
      `leafvault_recovery_point_age_seconds${labels} 3700`, `leafvault_snapshot_storage_bytes${labels} 5000`,
      'leafvault_jobs{kind="restore",state="failed"} 1', 'leafvault_info{version="0.1.0"} 1',
    ]) assert.ok(answer.body.split('\n').includes(line), line);
  });

  test('tells how the repository was checked, and which clusters lost something; nothing before there was a check', async () => {
    const linesOf = async (check: OverviewRead['check']): Promise<string[]> => {
      const { body } = await (await setUp({ overview: { ...OVERVIEW, check: check ?? null } })).inject({ url: '/metrics' });
      await server?.close();
      return body.split('\n').filter((line) => /^leafvault_(check|damaged)/.test(line)).map((line) => line.replace(/\{.*cluster="(\w+)".*\}/, ' $1'));
    };
    assert.deepEqual(await linesOf(null), []);
    assert.deepEqual(await linesOf({ endedAt: null, problems: null, mended: null, failed: true, damagedSnapshots: new Map() }), ['leafvault_check_failed 1']);
    const check = { endedAt: new Date('2026-03-01T11:00:00Z'), problems: 2, mended: 1, failed: false, damagedSnapshots: new Map([['5f0000000000000000000004', 3]]) };
    assert.deepEqual(await linesOf(check), [
      'leafvault_check_last_timestamp_seconds 1772362800', 'leafvault_check_problems 2', 'leafvault_check_mended_objects 1', 'leafvault_check_failed 0',
      'leafvault_damaged_snapshots orders 3', 'leafvault_damaged_snapshots new 0',
    ]);
  });

  test('tells how the objects of the repository are held; nothing where they are not', async () => {
    const linesOf = async (locks: OverviewRead['locks']): Promise<string[]> => {
      const { body } = await (await setUp({ overview: { ...OVERVIEW, ...(locks === undefined ? {} : { locks }) } })).inject({ url: '/metrics' });
      await server?.close();
      return body.split('\n').filter((line) => line.startsWith('leafvault_lock'));
    };
    assert.deepEqual(await linesOf(null), []);
    assert.deepEqual(await linesOf({ succeededAt: new Date('2026-03-01T11:00:00Z'), failed: 0, hiddenBytes: 7 }), [
      'leafvault_lock_last_success_timestamp_seconds 1772362800', 'leafvault_lock_failed_objects 0', 'leafvault_lock_hidden_bytes 7',
    ]);
  });

  test('tells how continuous backup of a cluster goes', async () => {
    const lines = (await (await setUp()).inject({ url: '/metrics' })).body.split('\n').filter((line) => line.startsWith('leafvault_continuous') && line.includes('cluster="orders"'));
    assert.deepEqual(lines.map((line) => line.replace(/\{.*?(state="\w+")?\} /, (_, state: string | undefined) => ` ${state ?? ''} `).replace(/  /, ' ')), [
      'leafvault_continuous_lag_seconds 42', 'leafvault_continuous_headroom_seconds 7200', 'leafvault_continuous_slices 10', 'leafvault_continuous_raw_bytes 90000',
      'leafvault_continuous_stored_bytes 30000', 'leafvault_continuous_state state="off" 0', 'leafvault_continuous_state state="starting" 0',
      'leafvault_continuous_state state="running" 0', 'leafvault_continuous_state state="warning" 1', 'leafvault_continuous_state state="failed" 0',
    ]);
  });

  test('tells whether a cluster is backed up, and whether all of it', async () => {
    const [orders, ...others] = OVERVIEW.clusters;
    const filtered = { ...orders!, backupState: 'stopped', cluster: { ...orders!.cluster, namespaceFilter: { kind: 'excluded', databases: ['cache'], collections: [] } } } as const;
    const { body } = await (await setUp({ overview: { ...OVERVIEW, clusters: [filtered, ...others] } })).inject({ url: '/metrics' });
    const lines = body.split('\n').filter((line) => line.startsWith('leafvault_backup')).map((line) => line.replace(/\{.*cluster="(\w+)",cluster_id="\w+"(?:,state="(\w+)")?\}/, ' $1 $2').replace('  ', ' '));
    assert.deepEqual(lines.filter((line) => line.startsWith('leafvault_backup_filtered')), ['leafvault_backup_filtered orders 1', 'leafvault_backup_filtered new 0']);
    assert.deepEqual(lines.filter((line) => line.startsWith('leafvault_backup_state') && line.endsWith(' 1')), ['leafvault_backup_state orders stopped 1', 'leafvault_backup_state new inactive 1']);
    assert.equal(lines.filter((line) => line.startsWith('leafvault_backup_state')).length, 8);
  });

  test('leaves out what never happened instead of telling zero', async () => {
    const lines = (await (await setUp()).inject({ url: '/metrics' })).body.split('\n').filter((line) => line.includes('cluster="new"'));
    assert.deepEqual([...new Set(lines.map((line) => line.split('{')[0]))], ['leafvault_backup_filtered', 'leafvault_snapshots', 'leafvault_backup_state']);
  });

  test('names no host and no version of a server', async () => {
    const { body } = await (await setUp()).inject({ url: '/metrics' });
    assert.ok(!body.includes('internal') && !body.includes('rs0'));
  });

  test('forgets a cluster that is gone', async () => {
    const overview = { ...OVERVIEW, clusters: [...OVERVIEW.clusters] };
    const app = await setUp({ overview });
    assert.ok((await app.inject({ url: '/metrics' })).body.includes('cluster="orders"'));
    overview.clusters.length = 0;
    assert.ok(!(await app.inject({ url: '/metrics' })).body.includes('cluster="orders"'));
  });
});
