// Somebody with the store's credentials empties the bucket: what can't be taken from it, and how the snapshots come back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createMemoryStorage, openStorage } from '../../../src/storage/index.ts';
import { openTestRepository, randomChunks, readSnapshot, writeSnapshot, collect } from '../../support/repository-fixture.ts';
import { remove } from '../../support/prune-fixture.ts';
import { startS3, type S3Server } from '../../support/s3-servers.ts';

describe('a repository under object lock', { timeout: 900_000 }, () => {
  let server: S3Server;
  before(async () => { server = await startS3('moto'); });
  after(() => server[Symbol.asyncDispose]());

  test('is emptied and overwritten by somebody with its credentials, read as it was, and copied to a new place; a prune went on beside', async () => {
    const address = `${await server.newStore('vault', { objectLock: true })}&objectLock=compliance:7`;
    const Bucket = new URL(address).hostname;
    const storage = openStorage(address);
    const repository = await openTestRepository(storage);
    const contents = { first: { a: randomChunks(12, 3_000) }, second: { b: randomChunks(12, 3_000) } };
    const gone = await writeSnapshot(repository, { c: randomChunks(12, 3_000) });
    const first = await writeSnapshot(repository, contents.first);
    const second = await writeSnapshot(repository, contents.second);
    // Of two in one second, what is there counts as the newer one.
    await untilAfter(Math.floor(Date.now() / 1_000) * 1_000 + 1_000);
    await remove(gone, repository);
    const pruned = await repository.prune();
    assert.ok(pruned.freedBytes > 0);
    assert.deepEqual([pruned.stuck, pruned.snapshots], [[], 2]);
    const report = await repository.extendLocks({ neededUntil: () => null });
    assert.deepEqual([report?.failed, report?.extended], [[], 0], 'fresh objects are held long enough');
    await repository.close();

    const { Versions = [] } = await server.client.send(new ListObjectVersionsCommand({ Bucket }));
    // The next whole second behind the last change: what went by then (markers have their times, too) is seen as gone.
    const then = (Math.floor(Math.max(Date.now(), ...Versions.map(({ LastModified }) => LastModified?.getTime() ?? 0)) / 1_000) + 1) * 1_000;
    await untilAfter(then + 1_000);
    let refused = 0;
    for (const [i, { Key, VersionId }] of Versions.entries()) {
      await server.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId })).catch(() => { refused += 1; });
      await server.client.send(i % 2 === 0 ? new DeleteObjectCommand({ Bucket, Key }) : new PutObjectCommand({ Bucket, Key, Body: 'rubbish' }));
    }
    assert.equal(refused, Versions.filter(({ Key }) => Key?.startsWith('vault/generations/') !== true).length, 'every version that a snapshot needs is held');
    await assert.rejects(openTestRepository(openStorage(address)));

    const past = openStorage(`${address}&at=${new Date(then).toISOString()}`);
    const asItWas = await openTestRepository(past);
    assert.deepEqual((await asItWas.check({ readData: true })).problems, []);
    assert.deepEqual(await readSnapshot(asItWas, first), contents.first);
    await assert.rejects(writeSnapshot(asItWas, contents.first), { code: 'STORAGE_READ_ONLY' });
    const to = createMemoryStorage();
    const copied = await asItWas.copyTo({ to });
    assert.deepEqual([copied.snapshots, copied.damaged, copied.withheld], [2, [], []]);
    await asItWas.close();
    const copy = await openTestRepository(to);
    await copy.promote();
    await copy.close();
    const fresh = await openTestRepository(to);
    assert.deepEqual((await collect(fresh.listSnapshots())).map(({ id }) => id).sort(), [first.id, second.id].sort());
    assert.deepEqual(await readSnapshot(fresh, second), contents.second);
    await writeSnapshot(fresh, { d: randomChunks(2, 2_000) });
    assert.deepEqual((await fresh.check({ readData: true })).problems, []);
    await fresh.close();
    for (const store of [storage, past]) await store.close();
  });
});

/** The server's clock is this one, in whole seconds. */
async function untilAfter(time: number): Promise<void> {
  while (Date.now() < time) await new Promise((resolve) => void setTimeout(resolve, 50));
}
