// Places of exports, of both kinds: whole objects under odd names, which may be put again.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { openExportStore, type ExportStore } from '../../../src/storage/index.ts';
import { S3_KEY, startS3, type S3Server } from '../../support/s3-servers.ts';

describe('a place of exports', () => {
  let folder: string;
  let server: S3Server;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-exports-'));
    server = await startS3('moto');
    await server.client.send(new CreateBucketCommand({ Bucket: 'exports' }));
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const endpoint = (): string => `http://127.0.0.1:${server.port}`;
  const kinds: Readonly<Record<string, { readonly open: () => ExportStore; readonly read: (key: string) => Promise<Buffer> }>> = {
    'in a folder': {
      open: () => openExportStore({ kind: 'folder', path: folder, bucket: 'exports' }),
      read: (key) => readFile(join(folder, 'exports', key)),
    },
    'on a server with a key of its own': {
      open: () => openExportStore({ kind: 's3', bucket: 'exports', endpoint: endpoint(), region: 'us-east-1', credentials: { accessKeyId: S3_KEY.AWS_ACCESS_KEY_ID, secretAccessKey: S3_KEY.AWS_SECRET_ACCESS_KEY }, pathStyle: true }),
      read: async (Key) => Buffer.from(await (await server.client.send(new GetObjectCommand({ Bucket: 'exports', Key }))).Body!.transformToByteArray()),
    },
  };

  for (const [what, { open, read }] of Object.entries(kinds)) {
    test(`${what} takes an object whole, again and under any name`, async () => {
      const store = open();
      for (const key of ['a/b/metadata.json', 'exported_snapshots/.permissioncheck', 'shop/odd%20name%24/rs0.0.json.gz', 'shop/é ü/x']) {
        assert.equal(await store.has(key), false, key);
        for (const text of ['first', 'the second is longer', '']) {
          await store.put(key, Buffer.from(text));
          assert.equal((await read(key)).toString(), text);
        }
        assert.equal(await store.has(key), true);
      }
      for (const key of ['', 'a//b', '../b', 'a/./b', '/a', 'a\0b']) await assert.rejects(store.put(key, Buffer.from('x')), { code: 'STORAGE_NAME_INVALID' }, key);
      await store.close();
    });

    test(`${what} leaves nothing of an object that was broken off`, async () => {
      const store = open();
      await assert.rejects(store.put('broken/off', Buffer.alloc(1000), { signal: AbortSignal.abort(new Error('stop')) }), /stop/);
      assert.equal(await store.has('broken/off'), false);
      await store.close();
    });
  }

  test('in a folder holds no half files', async () => {
    assert.deepEqual((await readdir(join(folder, 'exports'), { recursive: true })).filter((name) => name.endsWith('.part')), []);
  });

  test('that no entry describes is found by the chain of the SDK', async () => {
    Object.assign(process.env, { AWS_ENDPOINT_URL_S3: endpoint(), AWS_REGION: 'us-east-1' });
    try {
      const store = openExportStore({ kind: 's3', bucket: 'exports', endpoint: null, region: null, credentials: null, pathStyle: true });
      await store.put('by/chain', Buffer.from('here'));
      assert.equal((await kinds['on a server with a key of its own']!.read('by/chain')).toString(), 'here');
      await store.close();
      const wrong = openExportStore({ kind: 's3', bucket: 'not-there', endpoint: null, region: null, credentials: null, pathStyle: true });
      await assert.rejects(wrong.put('x', Buffer.from('x')), { code: 'STORAGE_FAILED', hint: 'Make the bucket first, or correct its name' });
      await wrong.close();
    } finally {
      delete process.env['AWS_ENDPOINT_URL_S3'];
      delete process.env['AWS_REGION'];
    }
  });
});
