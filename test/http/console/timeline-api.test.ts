import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Mark, OperationView } from '../../../src/domain/timeline.ts';
import { createLogger } from '../../../src/foundation/logger.ts';
import { buildServer, consoleApi, type HttpServer } from '../../../src/http/index.ts';
import type { Restorable, Timeline } from '../../../src/services/contracts.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryServices, ORDERS_ID, SHOP_ID } from '../../support/memory-services.ts';

const at = (i: number, t = 1_772_366_400): { t: number; i: number } => ({ t, i });
const MARK: Mark & Restorable = {
  kind: 'massDelete', namespace: 'shop.orders', to: null, count: 1_234, first: at(2), last: at(9, 1_772_366_460), justBefore: at(1),
  leaveOut: { namespace: 'shop.orders', kind: 'delete', from: at(2), to: at(9, 1_772_366_460) }, restorable: false, reason: 'too early',
};
const OPERATION: OperationView & Restorable = {
  position: at(5), number: 2, kind: 'update', namespace: 'shop.orders', command: null, id: '{"$numberInt":"7"}', object: { $v: 2 }, bytes: 30, session: '0123456789abcdef0123456789abcdef',
  ofTransaction: 3, partial: false, justBefore: at(4), restorable: true, reason: null,
};

describe('the time line at our own API', () => {
  let server: HttpServer;
  let operator: string;
  let reader: string;
  let asked: unknown;
  let found: Awaited<ReturnType<Timeline['find']>> = { operations: [OPERATION], next: { position: at(5), number: 2 } };

  before(async () => {
    const clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
    const world = memoryServices(clock, () => 'http://leafvault.test');
    const timeline: Timeline = {
      async read(_cluster, query) {
        asked = query;
        return { from: at(0), to: at(99), counts: [{ namespace: 'shop.orders', minute: 1_772_366_400, insert: 1, update: 2, delete: 3, command: 4, bytes: 400 }], marks: [MARK], partialTransactions: 1, continueFrom: at(8) };
      },
      async find(_cluster, query) {
        asked = query;
        return found;
      },
    };
    server = await buildServer({
      services: { ...world.services, timeline }, facades: [consoleApi], log: createLogger('silent'), clock, publicUrl: 'http://leafvault.test', version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
    });
    operator = await world.grant('operator', [{ role: 'GROUP_BACKUP_RECOVERY_OPERATOR', projectId: SHOP_ID }]);
    reader = await world.grant('reader', [{ role: 'GROUP_READ_ONLY', projectId: SHOP_ID }]);
  });
  after(() => server.close());

  const ask = async (path: string, token = operator) => {
    const answer = await server.app.inject({ method: 'GET', url: `/api/leafvault/v1/groups/${SHOP_ID}/clusters/${ORDERS_ID}/timeline${path}`, headers: { authorization: `Bearer ${token}` } });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };

  test('tells counts and marks, with positions as a restore takes them', async () => {
    const { status, body } = await ask('?from=2026-03-01T12:00:00Z&to=1772370000-7&namespace=shop&threshold=50', reader);
    assert.equal(status, 200);
    assert.deepEqual(asked, { from: at(0), to: { t: 1_772_370_000, i: 7 }, namespace: 'shop', threshold: 50 });
    const date = '2026-03-01T12:00:00.000Z';
    assert.deepEqual(body, {
      from: { oplogTs: 1_772_366_400, oplogInc: 0, date }, to: { oplogTs: 1_772_366_400, oplogInc: 99, date }, complete: false, continueFrom: '1772366400-8', partialTransactions: 1,
      marks: [{
        kind: 'massDelete', namespace: 'shop.orders', count: 1_234, words: '1,234 documents of shop.orders were deleted from 2026-03-01T12:00:00Z to 2026-03-01T12:01:00Z',
        first: { oplogTs: 1_772_366_400, oplogInc: 2, date }, last: { oplogTs: 1_772_366_460, oplogInc: 9, date: '2026-03-01T12:01:00.000Z' },
        justBefore: { oplogTs: 1_772_366_400, oplogInc: 1, date }, restorable: false, reason: 'too early',
        leaveOut: { namespace: 'shop.orders', kind: 'delete', from: { oplogTs: 1_772_366_400, oplogInc: 2 }, to: { oplogTs: 1_772_366_460, oplogInc: 9 } },
      }],
      counts: [{ minute: '2026-03-01T12:00:00Z', namespace: 'shop.orders', insert: 1, update: 2, delete: 3, command: 4, bytes: 400 }],
    });
  });

  test('means everything before its second by a time as the end', async () => {
    await ask('?to=2026-03-01T12:00:00Z');
    assert.deepEqual(asked, { from: null, to: { t: 1_772_366_399, i: 0xffff_ffff }, namespace: undefined, threshold: undefined });
  });

  test('lists operations and shows one, with what a restore would leave out', async () => {
    const { body } = await ask(`/operations?kind=update&_id=7&limit=1&after=1772366400-4-0`);
    assert.deepEqual(asked, { from: null, to: null, filter: { namespace: undefined, kind: 'update', id: '7' }, after: { position: at(4), number: 0 }, limit: 1, bytesShown: 4_096 });
    assert.equal(body['next'], '1772366400-5-2');
    const [listed] = body['operations'] as Record<string, unknown>[];
    assert.deepEqual([listed?.['position'], listed?.['session'], listed?.['transaction'], listed?.['leaveOut']], [
      '1772366400-5-2', '01234567-89ab-cdef-0123-456789abcdef', { operation: 2, operations: 3 }, { oplogTs: 1_772_366_400, oplogInc: 5, operation: 2 },
    ]);
    const one = await ask('/operations/1772366400-5-2');
    assert.deepEqual(one.body, listed);
    assert.deepEqual((asked as { after: unknown }).after, { position: at(5), number: 1 });
    assert.equal((await ask('/operations/1772366400-5')).body['code'], 'OPERATION_NOT_FOUND', 'the first of the transaction is another one');
    found = { operations: [], next: null };
    assert.deepEqual([(await ask('/operations/1772366400-6')).status, (await ask('/operations')).body], [404, { operations: [], next: null }]);
  });

  test('refuses what it can not read, by name', async () => {
    for (const path of ['?from=yesterday', '?from=1-2-3', '?to=99999999999-1', '?threshold=0', '?threshold=x', '?from=2026-13-01T00:00:00Z', '?from=2026-03-01T12:00:00', '/operations?limit=501', '/operations?kind=upsert', '/operations?after=5', '/operations/x', '/operations/1-2-3-4']) {
      const { status, body } = await ask(path);
      assert.deepEqual([status, body['code']], [400, 'QUERY_INVALID'], path);
    }
  });

  test('shows documents only to who may restore them', async () => {
    assert.deepEqual([(await ask('', reader)).status, (await ask('/operations', reader)).status, (await ask('/operations/1-1', reader)).status], [200, 403, 403]);
  });
});
