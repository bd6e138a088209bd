// Addresses of stores.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openStorage } from '../../src/storage/index.ts';

describe('openStorage', () => {
  test('opens folders, relative and absolute', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'leafvault-open-'));
    await openStorage(`file:${folder}/store`).put('a', Buffer.from('x'));
    assert.equal((await openStorage(`file://${folder}/store`).get('a')).toString(), 'x');
    assert.equal(openStorage('file:./data').address, `file:${join(process.cwd(), 'data')}`);
    await rm(folder, { recursive: true });
  });

  test('gives one memory store for one name', async () => {
    await openStorage('memory:one').put('a', Buffer.from('x'));
    assert.equal((await openStorage('memory:one').get('a')).toString(), 'x');
    assert.equal(await openStorage('memory:two').stat('a'), null);
  });

  test('takes no credentials in the address of a bucket, and does not repeat them', () => {
    assert.equal(openStorage('s3://bucket/prefix?region=eu-central-1').address, 's3://bucket/prefix?region=eu-central-1');
    assert.throws(() => openStorage('s3://key:secret@bucket/prefix?region=x'), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'STORAGE_ADDRESS_INVALID');
      assert.match(error.hint, /AWS_ACCESS_KEY_ID/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  test('refuses what is no address', () => {
    for (const address of ['', 'data', '/data', 'ftp://x', 'file:', 'memory:']) assert.throws(() => openStorage(address), { code: 'STORAGE_ADDRESS_INVALID' }, address);
  });
});
