// What a bucket with object lock makes of a slot that is removed: docs/design/keys.md, section 3, says it, and so does the command.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, ListObjectVersionsCommand, PutObjectRetentionCommand } from '@aws-sdk/client-s3';
import { initRepository, openKeySlots, proveOpener } from '../../src/repository/index.ts';
import { createMemoryStorage, openStorage } from '../../src/storage/index.ts';
import { startS3, type S3Server } from '../support/s3-servers.ts';
import { MASTER_KEY } from '../support/repository-fixture.ts';

const NEW_KEY = Buffer.alloc(32, 8);

describe('a key slot in a bucket with object lock', { timeout: 900_000 }, () => {
  let s3: S3Server;
  before(async () => { s3 = await startS3('moto'); });
  after(() => s3[Symbol.asyncDispose]());

  test('is gone from the store when it was removed, stays as an older version until its lock ends, and that version opens with the old key', async () => {
    const Bucket = 'locked';
    await s3.client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const storage = openStorage(`s3://${Bucket}/repository?endpoint=http://127.0.0.1:${s3.port}&region=us-east-1`);
    await initRepository({ storage, masterKey: MASTER_KEY });
    const [old] = await (await openKeySlots({ storage, opener: MASTER_KEY })).list();
    const Key = `repository/keys/${old?.id ?? ''}`;
    await s3.client.send(new PutObjectRetentionCommand({ Bucket, Key, Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + 86_400_000) } }));
    await (await openKeySlots({ storage, opener: MASTER_KEY })).addMasterKey(NEW_KEY);
    assert.equal(await (await openKeySlots({ storage, opener: NEW_KEY })).remove(old?.id ?? ''), 'removed');
    await assert.rejects(proveOpener(storage, MASTER_KEY), { code: 'REPOSITORY_KEY_WRONG' });
    await proveOpener(storage, NEW_KEY);

    const { Versions = [] } = await s3.client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
    assert.equal(Versions.length, 1, 'the slot is still there');
    const VersionId = Versions[0]?.VersionId ?? '';
    await assert.rejects(s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId })), 'the lock holds it');
    const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    const kept = createMemoryStorage();
    await kept.put('repository.json', await storage.get('repository.json'));
    await kept.put(`keys/${old?.id ?? ''}`, Buffer.from((await Body?.transformToByteArray()) ?? []));
    await proveOpener(kept, MASTER_KEY);
    await storage.close();
  });
});
