// Servers that take a call and say nothing, stall within a body, or ask for patience: what a store of S3 gives up, by name, and how it tries again.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sleep } from '../../../src/foundation/abort.ts';
import { withRetry, type Storage } from '../../../src/storage/index.ts';
import { createRequestHandler } from '../../../src/storage/s3/request-handler.ts';
import { afterBody, says, withOddServer, type Answer } from '../../support/odd-s3-server.ts';

const MIB = 1024 * 1024;
// Long beside what a busy machine stands still for: a server that is slow is not silent.
const SILENT_MS = 1_200;

const withServer = (answer: Answer, use: (storage: Storage) => Promise<void>): Promise<void> =>
  withOddServer(answer, use, { requestHandler: createRequestHandler({ silentMs: SILENT_MS }) });

/** Resolves when the call gave up, by itself: named are the call, the object and the store; trying again may help. */
async function givesUp(call: Promise<unknown>, doing: RegExp): Promise<void> {
  const began = performance.now();
  await assert.rejects(call, (error: Error & { code: string; retryable: boolean }) => {
    assert.deepEqual([error.code, error.retryable], ['STORAGE_FAILED', true], error.stack);
    assert.match(error.message, doing);
    assert.match(error.message, /s3:\/\/bucket.*TimeoutError/);
    return true;
  });
  // No earlier than it should: a server may think for a while.
  assert.ok(performance.now() - began >= SILENT_MS - 20, `given up after ${performance.now() - began} ms`);
}

/** As a server that knows conditional puts answers the probe for them; everything else is `answer`'s. */
function afterProbe(answer: Answer): Answer {
  const taken = new Map<string, string>();
  return (request, response) => {
    const key = request.url?.split('?')[0] ?? '';
    if (!key.includes('/probe-')) return answer(request, response);
    afterBody(() => {
      const isTaken = request.method === 'PUT' && taken.has(key);
      if (request.method === 'PUT' && !isTaken) taken.set(key, request.headers['content-length'] ?? '0');
      response.writeHead(isTaken ? 412 : 200, request.method === 'HEAD' ? { 'content-length': taken.get(key) } : {}).end();
    })(request, response);
  };
}

describe('a server of S3', { timeout: 900_000 }, () => {
  test('that accepts every call and never answers is given up, whatever was asked', async () => {
    await withServer(() => undefined, async (storage) => {
      await givesUp(storage.get('a'), /^Reading a at /);
      await givesUp(storage.stat('a'), /^Looking up a at /);
      await givesUp(storage.delete('a'), /^Deleting a at /);
      await givesUp(storage.conditionalPut(), /^Finding out what the store can at /);
    });
    await withServer(afterProbe(() => undefined), (storage) => givesUp(storage.put('a', Buffer.from('x')), /^Storing a at /));
  });

  test('that stalls within the body that it sends is given up, and half an object is none', async () => {
    await withServer((_request, response) => void response.writeHead(200, { 'content-length': MIB }).write(Buffer.alloc(MIB / 2)), (storage) => givesUp(storage.get('a'), /^Reading a at /));
    // One that closes instead says so at once.
    const cut: Answer = (_request, response) => void response.writeHead(200, { 'content-length': MIB }).write(Buffer.alloc(MIB / 2), () => response.destroy());
    await withServer(cut, (storage) => assert.rejects(storage.get('a'), { code: 'STORAGE_FAILED', retryable: true, message: /^Reading a at s3:\/\/bucket/ }));
  });

  test('that stalls within the body that it is sent is given up', async () => {
    let read = 0;
    const stalling: Answer = (request) => void request.once('data', (chunk: Buffer) => {
      read += chunk.length;
      request.pause();
    });
    // More than the buffers between the two hold.
    await withServer(afterProbe(stalling), (storage) => givesUp(storage.put('a', Buffer.alloc(48 * MIB)), /^Storing a at /));
    assert.ok(read > 0 && read < MIB, `${read} bytes`);
  });

  test('that is slow, and never silent for long, is waited for', async () => {
    const dripping: Answer = (_request, response) => {
      let left = 6;
      response.writeHead(200, { 'content-length': left });
      const drip = setInterval(() => {
        left -= 1;
        if (left > 0) return void response.write('x');
        clearInterval(drip);
        response.end('x');
      }, SILENT_MS / 4);
    };
    await withServer(dripping, async (storage) => assert.equal((await storage.get('a')).toString(), 'xxxxxx'));
  });

  test('that was silent once is asked again', async () => {
    let calls = 0;
    const waking: Answer = (_request, response) => {
      calls += 1;
      if (calls > 1) response.writeHead(200, { 'content-length': 2 }).end('ok');
    };
    await withServer(waking, async (storage) => assert.equal((await withRetry(storage, { firstDelayMs: 1 }).get('a')).toString(), 'ok'));
    assert.equal(calls, 2);
  });

  /** Pauses between tries against a server that says SlowDown so often; nobody waits. */
  const pausesOf = async (slow: number): Promise<{ readonly pauses: readonly number[]; readonly calls: number; readonly outcome: string }> => {
    const pauses: number[] = [];
    let calls = 0;
    let outcome = '';
    const answer: Answer = (request, response) => {
      calls += 1;
      if (calls <= slow) says(503, 'SlowDown')(request, response);
      else response.writeHead(200, { 'content-length': 2 }).end('ok');
    };
    await withServer(answer, async (storage) => {
      const patient = withRetry(storage, { firstDelayMs: 100, wait: async (ms, signal) => { pauses.push(ms); await sleep(0, signal); } });
      outcome = await patient.get('a').then(String, (error: Error) => error.message);
    });
    return { pauses, calls, outcome };
  };

  test('that says SlowDown is asked again after pauses that grow, up to a limit, and that no two processes share', async () => {
    const [first, second] = [await pausesOf(5), await pausesOf(5)];
    for (const { pauses, calls, outcome } of [first, second]) {
      assert.deepEqual([calls, outcome], [6, 'ok']);
      pauses.forEach((ms, i) => assert.ok(ms >= 50 * 2 ** i && ms <= 100 * 2 ** i, `pause ${i + 1}: ${ms} ms`));
      assert.deepEqual([...pauses].sort((a, b) => a - b), pauses);
    }
    assert.equal(first.pauses.length, 5);
    assert.ok(first.pauses.every((ms, i) => ms !== second.pauses[i]), JSON.stringify([first.pauses, second.pauses]));
  });

  test('that says SlowDown for ever is given up by name after the last try', async () => {
    const { pauses, calls, outcome } = await pausesOf(1_000);
    assert.deepEqual([calls, pauses.length], [6, 5]);
    assert.match(outcome, /^Reading a at s3:\/\/bucket.*SlowDown/);
  });
});
