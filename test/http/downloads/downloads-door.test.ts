import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get, request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../../src/foundation/clock.ts';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { createLogger } from '../../../src/foundation/logger.ts';
import { buildServer, downloadsDoor, type HttpServer } from '../../../src/http/index.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { runCurl } from '../../support/run-curl.ts';
import { servicesInMemory } from '../../support/services-in-memory.ts';

const PATH = '/backup/restore/v2/pull/5f0000000000000000000007/s3cret/rs0-1-a.tar.gz';
const STALL_MS = 400;
const KIB_64 = Buffer.alloc(65_536, 7);

interface State { failure: LeafvaultError | null; open: (signal: AbortSignal) => Readable; opened: number; completed: string[]; completing: () => Promise<void> }
const state: State = { failure: null, open: () => Readable.from([]), opened: 0, completed: [], completing: async () => undefined };
let server: HttpServer;
let origin: string;

before(async () => {
  const downloads = {
    async resolve() {
      if (state.failure !== null) throw state.failure;
      return {
        fileName: 'rs0-1-a.tar.gz',
        open: (signal: AbortSignal) => { state.opened += 1; return state.open(signal); },
        completed: async (sha1: string) => { await state.completing(); state.completed.push(sha1); },
      };
    },
  };
  server = await buildServer({
    services: servicesInMemory(), facades: [], plugins: [downloadsDoor(downloads, { stallMs: STALL_MS })], log: createLogger('silent'), clock: systemClock,
    publicUrl: null, version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
  });
  origin = await server.listen({ host: '127.0.0.1', port: 0 });
});

after(() => server.close());
beforeEach(() => { Object.assign(state, { failure: null, open: () => Readable.from([Buffer.from('arch'), Buffer.from('ive')]), opened: 0, completed: [], completing: async () => undefined }); });

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error('The condition did not come true');
    await turn();
  }
}

describe('GET of a download address', () => {
  test('streams the archive and tells its checksum when all of it left', async () => {
    const { status, body, got, exitCode } = await runCurl([origin + PATH]);
    assert.deepEqual([status, body, exitCode], [200, 'archive', 0]);
    assert.ok(got.includes('content-type: application/gzip'), got.join('\n'));
    assert.ok(got.includes('content-disposition: attachment; filename="rs0-1-a.tar.gz"'));
    assert.ok(got.includes('x-content-type-options: nosniff'));
    await until(() => state.completed.length === 1);
    assert.deepEqual(state.completed, [createHash('sha1').update('archive').digest('hex')]);
  });

  test('ignores a range: every transfer is whole', async () => {
    const { status, body } = await runCurl(['--range', '2-3', origin + PATH]);
    assert.deepEqual([status, body], [200, 'archive']);
  });

  test('asks nobody for credentials', async () => {
    assert.equal((await runCurl(['--header', 'Authorization: Digest nonsense', origin + PATH])).status, 200);
  });

  test('answers 500 when the archive fails before its first byte', async () => {
    state.open = () => new Readable({ read() { this.destroy(new Error('pack 7f is damaged')); } });
    const { status, body } = await runCurl([origin + PATH]);
    assert.equal(status, 500);
    assert.ok(!body.includes('pack'));
    assert.deepEqual(state.completed, []);
  });

  test('cuts the connection when the archive fails on the way', async () => {
    state.open = () => failingAfter(20);
    const { exitCode } = await runCurl(['--output', '/dev/null', origin + PATH]);
    assert.ok([18, 56].includes(exitCode), `curl says ${exitCode}: the transfer did not end cleanly`);
    assert.deepEqual(state.completed, []);
  });

  test('is no clean end for an HTTP/1.0 client either', async () => {
    state.open = () => failingAfter(20);
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.write(`GET ${PATH} HTTP/1.0\r\n\r\n`);
    socket.resume();
    const [error] = await Promise.race([once(socket, 'error'), once(socket, 'end').then(() => [null])]) as [NodeJS.ErrnoException | null];
    assert.equal(error?.code, 'ECONNRESET');
  });

  test('stops reading when the client goes away', async () => {
    let signal: AbortSignal | null = null;
    let destroyed = false;
    state.open = (given) => {
      signal = given;
      return new Readable({ read() { this.push(KIB_64); }, destroy(error, done) { destroyed = true; done(error); } });
    };
    const client = get(origin + PATH);
    const [answer] = await once(client, 'response') as [Readable];
    answer.once('data', () => client.destroy());
    answer.on('error', () => undefined);
    await until(() => destroyed);
    assert.equal((signal as AbortSignal | null)?.aborted, true);
    assert.deepEqual(state.completed, []);
  });

  test('reads no further than the client takes', async () => {
    let pushed = 0;
    state.open = () => new Readable({ read() { pushed += KIB_64.length; this.push(KIB_64); } });
    const client = get(origin + PATH);
    const [answer] = await once(client, 'response') as [Readable];
    answer.pause();
    const most = 32 * 1024 * 1024;
    // Until every buffer in between is full.
    for (let before = -1; pushed !== before && pushed < most;) {
      before = pushed;
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    assert.ok(pushed < most, `${pushed} bytes were read for a client that takes none`);
    answer.on('error', () => undefined);
    client.destroy();
  });

  test('cuts a client that takes nothing for too long', async () => {
    let destroyed = false;
    state.open = () => new Readable({ read() { this.push(KIB_64); }, destroy(error, done) { destroyed = true; done(error); } });
    const client = get(origin + PATH);
    const [answer] = await once(client, 'response') as [Readable];
    answer.pause();
    // The reset is told to the request or to its answer, whichever the socket reaches first.
    const cut = new Promise((resolve) => { client.once('error', resolve); answer.once('error', resolve); });
    await until(() => destroyed);
    answer.resume();
    await cut;
    assert.deepEqual(state.completed, []);
  });

  test('still is a whole download when it cannot be counted', async () => {
    state.completing = async () => { throw new Error('the catalog is away'); };
    const { status, exitCode } = await runCurl([origin + PATH]);
    assert.deepEqual([status, exitCode], [200, 0]);
  });
});

describe('HEAD of a download address', () => {
  test('is free', async () => {
    const { status, got } = await runCurl(['--head', origin + PATH]);
    assert.equal(status, 200);
    assert.ok(got.includes('content-type: application/gzip'));
    assert.deepEqual([state.opened, state.completed], [0, []]);
  });

  test('knows an address that is no more', async () => {
    state.failure = new LeafvaultError('DOWNLOAD_EXPIRED', 'over');
    assert.equal((await runCurl(['--head', origin + PATH])).status, 410);
  });
});

describe('a download address that serves no more', () => {
  for (const [code, words] of [
    ['DOWNLOAD_EXPIRED', /expired/], ['DOWNLOAD_EXHAUSTED', /as often as/], ['SNAPSHOT_NOT_FOUND', /snapshot .* was deleted/],
  ] as const) {
    test(`is 410 with words for ${code}`, async () => {
      state.failure = new LeafvaultError(code, 'inner words');
      const { status, body } = await runCurl([origin + PATH]);
      assert.equal(status, 410);
      assert.match(body, words);
      assert.ok(!body.includes('inner'));
    });
  }

  test('is 404 without more when it was altered', async () => {
    const otherFile = await runCurl([origin + PATH.replace('rs0-1', 'rs0-2')]);
    state.failure = new LeafvaultError('DOWNLOAD_NOT_FOUND', 'inner words');
    const otherSecret = await runCurl([origin + PATH]);
    for (const { status, body } of [otherFile, otherSecret]) assert.deepEqual([status, body], [404, 'Not found\n']);
    assert.equal(state.opened, 0);
  });

  test('takes no other method', async () => {
    const status = await new Promise((resolve, reject) => {
      request(origin + PATH, { method: 'POST' }, (answer) => { answer.resume(); resolve(answer.statusCode); }).once('error', reject).end('x');
    });
    assert.equal(status, 404);
  });
});

describe('closing the server', () => {
  test('lets a transfer finish within its grace, and cuts it after', async () => {
    for (const [graceMs, finishes] of [[PATIENCE_MS, true], [50, false]] as const) {
      let feed: Readable | null = null;
      const archive = { fileName: 'rs0-1-a.tar.gz', open: () => (feed = new Readable({ read() { /* fed by hand */ } })), completed: async () => undefined };
      const closing = await buildServer({
        services: servicesInMemory(), facades: [], plugins: [downloadsDoor({ resolve: async () => archive })], log: createLogger('silent'),
        clock: systemClock, publicUrl: null, version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
      });
      const client = get(await closing.listen({ host: '127.0.0.1', port: 0 }) + PATH);
      const answered = once(client, 'response') as Promise<[Readable]>;
      await until(() => feed !== null);
      (feed as Readable | null)?.push(KIB_64);
      const [answer] = await answered;
      const closed = closing.close(graceMs);
      if (finishes) {
        (feed as Readable | null)?.push(null);
        let bytes = 0;
        for await (const chunk of answer) bytes += (chunk as Buffer).length;
        assert.equal(bytes, KIB_64.length);
      } else {
        answer.resume();
        await once(answer, 'error');
      }
      await Promise.all([closed, closing.close()]);
    }
  });
});

/** Enough chunks to pass every buffer, then a failure. */
function failingAfter(chunks: number): Readable {
  let left = chunks;
  return new Readable({
    read() {
      left -= 1;
      if (left < 0) this.destroy(new Error('pack 7f is damaged'));
      else this.push(KIB_64);
    },
  });
}
