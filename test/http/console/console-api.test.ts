import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { createLogger } from '../../../src/foundation/logger.ts';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { buildServer, consoleApi, type HttpServer } from '../../../src/http/index.ts';
import type { Continuous, ContinuousStatus, UpkeepView } from '../../../src/services/contracts.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryServices, ORDERS_ID, ORG_ID, OTHER_ID, SHOP_ID, VAULT_ID } from '../../support/memory-services.ts';

let server: HttpServer | null = null;
afterEach(async () => { await server?.close(); });

const STATUS: ContinuousStatus = {
  state: 'failed', cause: { code: 'SOURCE_UNREACHABLE', message: 'No member answers', hint: null, at: new Date('2026-03-01T11:59:00Z') }, warning: null,
  recoveryPoint: { t: 1_772_366_300, i: 7 }, lagSeconds: 100, headroomSeconds: 9_000, member: 'db1.example:27017',
  windows: [
    { chainId: 'a'.repeat(24), from: { t: 1_772_360_000, i: 3 }, to: { t: 1_772_360_000, i: 9 }, end: { reason: 'FCV_CHANGED', message: null, at: new Date('2026-03-01T10:20:00Z') } },
    { chainId: 'b'.repeat(24), from: { t: 1_772_362_000, i: 1 }, to: { t: 1_772_366_300, i: 7 }, end: null },
  ],
  gaps: [{ from: { t: 1_772_360_000, i: 9 }, to: { t: 1_772_362_000, i: 1 }, reason: 'FCV_CHANGED' }],
};

async function setUp(status: Continuous['status'] = async () => STATUS, upkeep: UpkeepView = { check: null, prune: null, copies: [], locks: null, mended: null }) {
  const clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
  const world = memoryServices(clock, () => 'http://leafvault.test');
  const services = { ...world.services, continuous: { ...world.services.continuous, status }, upkeep: { read: async () => upkeep } };
  server = await buildServer({
    services, facades: [consoleApi], log: createLogger('silent'), clock, publicUrl: 'http://leafvault.test', version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
  });
  const { app } = server;
  const reader = await world.grant('reader', [{ role: 'GROUP_READ_ONLY', projectId: SHOP_ID }]);
  const stranger = await world.grant('stranger', [{ role: 'GROUP_OWNER', projectId: OTHER_ID }, { role: 'ORG_MEMBER', orgId: ORG_ID }]);
  const ask = async (path: string, token: string | null) => {
    const answer = await app.inject({ url: `/api/leafvault/v1${path}`, headers: token === null ? {} : { authorization: `Bearer ${token}` } });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };
  return { ask, reader, stranger };
}

const PATH = `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/continuous`;

describe('GET …/continuous', () => {
  test('tells state, recovery point, windows and gaps to who may read the project', async () => {
    const { ask, reader } = await setUp();
    const { status, body } = await ask(PATH, reader);
    assert.equal(status, 200);
    assert.deepEqual(body, {
      state: 'failed', warning: null, lagSeconds: 100, member: 'db1.example:27017',
      cause: { code: 'SOURCE_UNREACHABLE', message: 'No member answers', hint: null, at: '2026-03-01T11:59:00.000Z' },
      recoveryPoint: { oplogTs: 1_772_366_300, oplogInc: 7, date: '2026-03-01T11:58:20.000Z' },
      oplogHeadroomHours: 2.5,
      windows: [
        {
          chainId: 'a'.repeat(24), from: { oplogTs: 1_772_360_000, oplogInc: 3, date: '2026-03-01T10:13:20.000Z' },
          to: { oplogTs: 1_772_360_000, oplogInc: 9, date: '2026-03-01T10:13:20.000Z' }, firstTime: null, lastTime: null,
          end: { reason: 'FCV_CHANGED', message: null, at: '2026-03-01T10:20:00.000Z' },
        },
        {
          chainId: 'b'.repeat(24), from: { oplogTs: 1_772_362_000, oplogInc: 1, date: '2026-03-01T10:46:40.000Z' },
          to: { oplogTs: 1_772_366_300, oplogInc: 7, date: '2026-03-01T11:58:20.000Z' }, firstTime: '2026-03-01T10:46:41.000Z', lastTime: '2026-03-01T11:58:20.000Z', end: null,
        },
      ],
      gaps: [{ from: { oplogTs: 1_772_360_000, oplogInc: 9, date: '2026-03-01T10:13:20.000Z' }, to: { oplogTs: 1_772_362_000, oplogInc: 1, date: '2026-03-01T10:46:40.000Z' }, reason: 'FCV_CHANGED' }],
    });
  });

  test('is 401 without credentials, 403 without a role, 404 for a cluster of another project and 400 for what is no id', async () => {
    const { ask, reader, stranger } = await setUp();
    const answers = [
      await ask(PATH, null), await ask(PATH, stranger), await ask(`/groups/${SHOP_ID}/clusters/${VAULT_ID}/continuous`, reader),
      await ask(`/groups/${SHOP_ID}/clusters/orders/continuous`, reader), await ask('/nowhere', reader),
    ];
    assert.deepEqual(answers.map(({ status, body }) => [status, body['code']]), [
      [401, 'UNAUTHENTICATED'], [403, 'ROLE_MISSING'], [404, 'CLUSTER_NOT_FOUND'], [400, 'ID_MALFORMED'], [404, 'ROUTE_NOT_FOUND'],
    ]);
  });

  test('says nothing of a failure inside, and asks to come back when it may pass', async () => {
    const { ask, reader } = await setUp(() => Promise.reject(new LeafvaultError('CATALOG_QUERY_FAILED', 'secret words')));
    const failed = await ask(PATH, reader);
    assert.equal(failed.status, 500);
    assert.ok(!JSON.stringify(failed.body).includes('secret'));
    await server?.close();
    const away = await setUp(() => Promise.reject(new LeafvaultError('CATALOG_UNREACHABLE', 'secret words', { retryable: true })));
    assert.equal((await away.ask(PATH, away.reader)).status, 503);
  });
});

describe('GET …/repository', () => {
  test('tells state, progress and findings of checks and second copies, without addresses, to who may read the project', async () => {
    const at = '2026-03-01T11:00:00.000Z';
    const running = { since: at, beatAt: at, objects: 3, bytes: 40 };
    const { ask, reader, stranger } = await setUp(undefined, {
      check: {
        nextPart: 4, dueAt: at, running: { token: 'secret token', since: at, beatAt: at, progress: { phase: 'check packs', done: 2, total: 9, bytesDone: 100, bytesTotal: null } }, failure: null,
        last: { startedAt: at, endedAt: at, part: 3, of: 30, bytesRead: 100, problems: 2, quarantinedCopies: 1, objects: ['packs/ab/c'], damaged: [] },
        damaged: [{ snapshotId: 'a'.repeat(24), namespaces: ['shop.orders'], projectId: SHOP_ID, clusterId: ORDERS_ID, clusterName: 'orders' }], damagedElsewhere: 1,
      },
      copies: [{ address: 's3://secret-place', number: 1, startedAt: at, succeededAt: null, problems: 0, running, last: null, read: null, rotted: null, failure: null }],
      locks: { mode: 'compliance', days: 30, startedAt: at, endedAt: at, succeededAt: at, last: { objects: 5, extended: 1, failed: 0, failedObjects: [], hiddenBytes: 7 }, failure: null },
      mended: { objects: 3, lastAt: at, names: ['packs/ab/c'] },
      prune: {
        running: null, failure: { at, cause: 'a root is damaged' },
        last: { endedAt: at, snapshots: 2, bytes: 90, freedBytes: 30, waitingBytes: 20, inTheWay: [{ kind: 'reader', createdAt: at, owner: 'secret machine' }], damagedPacks: [], stuck: 1, postponedPacks: 0 },
      },
    });
    const { status, body } = await ask(`/groups/${SHOP_ID}/repository`, reader);
    assert.equal(status, 200);
    assert.ok(!JSON.stringify(body).includes('secret'), JSON.stringify(body));
    const { check, copies, objectLock } = body as Record<string, Record<string, Record<string, unknown>>>;
    assert.deepEqual(check?.['running'], { since: at, beatAt: at, progress: { phase: 'check packs', done: 2, total: 9, bytesDone: 100, bytesTotal: null } });
    assert.deepEqual([check?.['last']?.['problems'], check?.['last']?.['damagedElsewhere']], [2, 1]);
    assert.deepEqual(check?.['last']?.['damaged'], [{ snapshotId: 'a'.repeat(24), namespaces: ['shop.orders'], clusterId: ORDERS_ID, clusterName: 'orders' }]);
    assert.deepEqual(copies, [{ number: 1, startedAt: at, succeededAt: null, problems: 0, running, last: null, read: null, rotted: null, failure: null }]);
    assert.equal(objectLock?.['days'], 30);
    const { failure, last } = body['prune'] as Record<string, Record<string, unknown>>;
    assert.deepEqual([failure, last?.['waitingBytes'], last?.['inTheWay']], [{ at, cause: 'a root is damaged' }, 20, [{ kind: 'reader', createdAt: at }]]);
    assert.deepEqual(body['mended'], { objects: 3, lastAt: at, names: ['packs/ab/c'] });
    assert.equal((await ask(`/groups/${SHOP_ID}/repository`, stranger)).status, 403);
  });
});
