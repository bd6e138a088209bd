// The storage contract on two real S3 servers, and what only a server can do: refuse, alter, be silent, go away.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { openStorage, type Storage } from '../../../src/storage/index.ts';
import { parseS3Address } from '../../../src/storage/s3/s3-address.ts';
import { createS3Storage } from '../../../src/storage/s3/s3-storage.ts';
import { storageContract } from '../../contracts/storage.contract.ts';
import { afterBody, says, withOddServer, type Answer } from '../../support/odd-s3-server.ts';
import { startS3, whyNot, type S3Kind, type S3Server } from '../../support/s3-servers.ts';

const MIB = 1024 * 1024;

for (const kind of ['moto', 'versitygw'] as const satisfies readonly S3Kind[]) {
  const reason = await whyNot(kind);
  describe(`a store on ${kind}`, { skip: reason ?? false, timeout: 900_000 }, () => {
    let server: S3Server;
    before(async () => { server = await startS3(kind); });
    after(() => server?.[Symbol.asyncDispose]());

    storageContract(kind, async () => {
      const address = await server.newStore('some/prefix');
      const [storage, other] = [openStorage(address), openStorage(address)];
      return {
        storage, other,
        async dispose() {
          await storage.close();
          await other.close();
        },
      };
    });

    /** With parts of 5 MiB, the least that S3 takes. */
    const inParts = async (): Promise<{ readonly storage: Storage; readonly Bucket: string }> => {
      const address = parseS3Address(await server.newStore());
      return { storage: createS3Storage({ client: server.client, address, limits: { singleBytes: 6 * MIB, partBytes: 5 * MIB } }), Bucket: address.bucket };
    };

    test('takes a large object in parts, once', async () => {
      const { storage, Bucket } = await inParts();
      const bytes = randomBytes(13 * MIB);
      await storage.put('large', [bytes.subarray(0, 7 * MIB), bytes.subarray(7 * MIB)]);
      assert.ok((await storage.get('large')).equals(bytes));
      assert.deepEqual(await storage.get('large', { offset: 5 * MIB - 3, length: 6 }), bytes.subarray(5 * MIB - 3, 5 * MIB + 3));
      await assert.rejects(storage.put('large', randomBytes(7 * MIB)), { code: 'STORAGE_OBJECT_EXISTS' });
      assert.ok((await storage.get('large')).equals(bytes));
      assert.deepEqual((await server.client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [], [], 'no part is left over');
    });

    test('finds out that the server refuses a taken name, and leaves nothing of that behind', async () => {
      const { storage, Bucket } = await inParts();
      assert.equal(await storage.conditionalPut(), true);
      assert.deepEqual((await server.client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? [], []);
    });

    test('shows nothing of what others keep beside it', async () => {
      const { storage, Bucket } = await inParts();
      for (const Key of ['ours/a', 'not ours', 'ä']) await server.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })).catch(() => undefined);
      const names: string[] = [];
      for await (const { name } of storage.list('')) names.push(name);
      assert.deepEqual(names, ['ours/a']);
    });

    test('names a bucket that is not there', async () => {
      const storage = openStorage(`s3://not-made?endpoint=http://127.0.0.1:${server.port}&region=us-east-1`);
      for (const call of [() => storage.put('a', Buffer.from('x')), () => storage.get('a')]) {
        await assert.rejects(call(), (error: Error & { code: string; hint: string; retryable: boolean }) => {
          assert.deepEqual([error.code, error.retryable], ['STORAGE_FAILED', false]);
          assert.match(`${error.message} ${error.hint}`, /NoSuchBucket.*Make the bucket first/);
          return true;
        });
      }
      await storage.close();
    });
  });
}

describe('a store on versitygw with a wrong key', { skip: (await whyNot('versitygw')) ?? false }, () => {
  test('is denied, with what the key needs', async () => {
    await using server = await startS3('versitygw');
    const address = parseS3Address(await server.newStore());
    const client = new S3Client({ endpoint: `http://127.0.0.1:${server.port}`, forcePathStyle: true, region: 'us-east-1', credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' }, maxAttempts: 1 });
    await assert.rejects(createS3Storage({ client, address }).get('a'), { code: 'STORAGE_DENIED', retryable: false, hint: /s3:GetObject/ });
    client.destroy();
  });
});

describe('a server that misbehaves', { timeout: 900_000 }, () => {
  const withServer = (answer: Answer, use: (storage: Storage) => Promise<void>): Promise<void> => withOddServer(afterBody(answer), use);

  test('is told apart: what can be tried again, what is full, what is denied', async () => {
    for (const [answer, code, retryable] of [
      [says(503, 'SlowDown'), 'STORAGE_FAILED', true], [says(500, 'InternalError'), 'STORAGE_FAILED', true], [says(403, 'AccessDenied'), 'STORAGE_DENIED', false],
      [says(507, 'InsufficientStorage'), 'STORAGE_FULL', false], [says(400, 'AuthorizationHeaderMalformed'), 'STORAGE_FAILED', false], [says(429, 'TooManyRequests'), 'STORAGE_FAILED', true],
    ] as const) await withServer(answer, async (storage) => assert.rejects(storage.get('a'), { code, retryable }));
    await withServer((request) => void request.socket.destroy(), async (storage) => assert.rejects(storage.get('a'), { code: 'STORAGE_FAILED', retryable: true }));
  });

  test('without conditional puts is found out, and still overwrites nothing', async () => {
    const objects = new Map<string, number>();
    const naive: Answer = (request, response) => {
      const key = request.url?.split('?')[0] ?? '';
      if (request.method === 'PUT') objects.set(key, Number(request.headers['x-amz-decoded-content-length'] ?? request.headers['content-length'] ?? 0));
      if (request.method === 'DELETE') objects.delete(key);
      const size = objects.get(key);
      if (request.method === 'HEAD') response.writeHead(size === undefined ? 404 : 200, { 'content-length': size ?? 0 });
      response.end();
    };
    await withServer(naive, async (storage) => {
      assert.equal(await storage.conditionalPut(), false);
      assert.equal(objects.size, 0);
      await storage.put('a', Buffer.from('first'));
      await assert.rejects(storage.put('a', Buffer.from('other')), { code: 'STORAGE_OBJECT_EXISTS' });
    });
  });

  test('that fails in the middle of a listing is asked again, and one that says no end is not believed', async () => {
    const page = (more: string, keys: readonly string[]): string => `<ListBucketResult>${more}${keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('')}</ListBucketResult>`;
    let failures = 2;
    const twoPages: Answer = (request, response) => {
      const isSecond = request.url?.includes('continuation-token') === true;
      if (isSecond && failures > 0) {
        failures -= 1;
        return void says(503, 'SlowDown')(request, response);
      }
      response.writeHead(200, { 'content-type': 'application/xml' }).end(isSecond ? page('<IsTruncated>false</IsTruncated>', ['b']) : page('<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>', ['a']));
    };
    const names = async (storage: Storage): Promise<string[]> => {
      const found: string[] = [];
      for await (const { name } of storage.list('')) found.push(name);
      return found;
    };
    await withServer(twoPages, async (storage) => assert.deepEqual(await names(storage), ['a', 'b']));
    const endless: Answer = (_request, response) => void response.writeHead(200, { 'content-type': 'application/xml' }).end(page('<IsTruncated>true</IsTruncated>', ['a']));
    await withServer(endless, async (storage) => assert.rejects(names(storage), { code: 'STORAGE_FAILED', retryable: true }));
  });

  test('that lists the same page again and again is not followed, and keys beside the prefix are none of ours', async () => {
    const page = (keys: readonly string[]): Answer => (_request, response) => void response.writeHead(200, { 'content-type': 'application/xml' })
      .end(`<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>${keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('')}</ListBucketResult>`);
    const found: string[] = [];
    await withServer(page(['facts/a', 'packs/ab/c', 'facts/b']), async (storage) => assert.rejects(async () => {
      for await (const { name } of storage.list('facts/')) found.push(name);
    }, { code: 'STORAGE_FAILED', retryable: false, message: /the same page again/ }));
    assert.deepEqual(found, ['facts/a', 'facts/b', 'facts/a', 'facts/b']);
  });

  test('that sends a whole object, or no end, where a part was asked for is cut off', async () => {
    let sent = 0;
    const endless: Answer = (_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    };
    await withServer(endless, async (storage) => assert.rejects(storage.get('a', { offset: 0, length: 100_000 }), { code: 'STORAGE_FAILED', retryable: false, message: /more than it was asked for/ }));
    assert.ok(sent < 64 * 2 ** 20, `${sent} bytes`);
  });

  test('that stores other bytes than were sent is caught', async () => {
    let puts = 0;
    const altering: Answer = (request, response) => {
      if (request.method === 'PUT') puts += 1;
      // The probe's second put is refused, as a good server does.
      if (request.method === 'PUT' && puts === 2) return void response.writeHead(412).end();
      if (request.method === 'PUT' && puts > 2) response.setHeader('x-amz-checksum-crc32', 'AAAAAA==');
      if (request.method === 'HEAD') response.setHeader('content-length', '5');
      response.end();
    };
    await withServer(altering, async (storage) => assert.rejects(storage.put('a', Buffer.from('first')), /other bytes of a than were sent/));
  });

  test('that says nothing is given up when the call is', async () => {
    await withServer(() => undefined, async (storage) => {
      const reason = new Error('cancelled');
      await assert.rejects(storage.get('a', undefined, { signal: AbortSignal.any([AbortSignal.timeout(200)]) }), { name: 'TimeoutError' });
      const stop = new AbortController();
      setTimeout(() => stop.abort(reason), 100);
      await assert.rejects(storage.get('a', undefined, { signal: stop.signal }), reason);
    });
  });
});
