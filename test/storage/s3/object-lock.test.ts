// Object lock on a real S3 server: what is held, what an attacker can't take, and how the bucket is seen as it was.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DeleteObjectCommand, HeadObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { openStorage, type Storage } from '../../../src/storage/index.ts';
import { parseS3Address } from '../../../src/storage/s3/s3-address.ts';
import { createS3Storage } from '../../../src/storage/s3/s3-storage.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { collect } from '../../support/repository-fixture.ts';
import { startS3, whyNot, type S3Kind, type S3Server } from '../../support/s3-servers.ts';

const DAY_MS = 86_400_000;

for (const kind of ['moto', 'versitygw'] as const satisfies readonly S3Kind[]) {
  const reason = await whyNot(kind);
  describe(`a bucket with object lock on ${kind}`, { skip: reason ?? false, timeout: 900_000 }, () => {
    let server: S3Server;
    before(async () => { server = await startS3(kind, { versions: true }); });
    after(() => server?.[Symbol.asyncDispose]());

    const open = async (mode = 'governance'): Promise<{ readonly storage: Storage; readonly Bucket: string; readonly clock: FakeClock; readonly address: string; key(name: string): string }> => {
      const address = `${await server.newStore('some/prefix', { objectLock: true })}&objectLock=${mode}:10`;
      const clock = fakeClock(new Date());
      const parsed = parseS3Address(address);
      return { storage: createS3Storage({ client: server.client, address: parsed, clock }), Bucket: parsed.bucket, clock, address, key: (name) => `some/prefix/${name}` };
    };
    const versionsOf = async (Bucket: string) => server.client.send(new ListObjectVersionsCommand({ Bucket }));

    test('holds what is put against a delete of its version, and not what comes and goes', async () => {
      const { storage, Bucket, clock, key } = await open();
      await storage.put('packs/a', Buffer.from('a'));
      await storage.put('sessions/s', Buffer.from('s'), { passing: true });
      const until = (await storage.objectLock?.heldUntil('packs/a'))?.getTime() ?? 0;
      assert.ok(Math.abs(until - clock.now().getTime() - 10 * DAY_MS) < 2_000, `${until}`);
      assert.equal(await storage.objectLock?.heldUntil('sessions/s'), null);
      const { VersionId } = await server.client.send(new HeadObjectCommand({ Bucket, Key: key('packs/a') }));
      await assert.rejects(server.client.send(new DeleteObjectCommand({ Bucket, Key: key('packs/a'), VersionId })));
      await storage.delete('packs/a');
      assert.equal(await storage.stat('packs/a'), null, 'a prune goes on: the delete hides it');
      await storage.delete('sessions/s', { passing: true });
      const { Versions = [], DeleteMarkers = [] } = await versionsOf(Bucket);
      assert.deepEqual([Versions.map(({ Key }) => Key), DeleteMarkers.map(({ Key }) => Key)], [[key('packs/a')], [key('packs/a')]], 'of a session nothing stays, nor of the look what the bucket can');
      await storage.put('packs/a', Buffer.from('b'));
      assert.equal((await storage.get('packs/a')).toString(), 'b', 'the name is free');
    });

    test('holds longer when asked, and never shorter', async () => {
      const { storage, clock } = await open('compliance');
      await storage.put('a', Buffer.from('a'));
      const later = new Date(clock.now().getTime() + 20 * DAY_MS);
      await storage.objectLock?.hold('a', later);
      await storage.objectLock?.hold('a', new Date(clock.now().getTime() + 15 * DAY_MS));
      const until = (await storage.objectLock?.heldUntil('a'))?.getTime() ?? 0;
      assert.ok(Math.abs(until - later.getTime()) < 2_000);
      await assert.rejects(async () => storage.objectLock?.hold('none', later), { code: 'STORAGE_OBJECT_MISSING' });
      await assert.rejects(async () => storage.objectLock?.heldUntil('none'), { code: 'STORAGE_OBJECT_MISSING' });
    });

    const timeless = kind === 'versitygw' ? 'versitygw tells of an older version when it stopped being the newest, and not when it came' : false;
    test('is seen as it was before somebody hid or overwrote everything, and that way can not be written to', { skip: timeless }, async () => {
      const { storage, Bucket, address, key } = await open();
      for (const name of ['a', 'packs/one', 'packs/two']) await storage.put(name, Buffer.from(`bytes of ${name}`));
      await storage.put('packs/old', Buffer.from('old'));
      await storage.delete('packs/old');
      const all = await versionsOf(Bucket);
      const newest = Math.max(...[...(all.Versions ?? []), ...(all.DeleteMarkers ?? [])].map(({ LastModified }) => LastModified?.getTime() ?? 0));
      // The next second: what comes now is younger than the instant.
      while (Date.now() < newest + 1_000) await new Promise((resolve) => void setTimeout(resolve, 50));
      await server.client.send(new PutObjectCommand({ Bucket, Key: key('packs/one'), Body: 'rubbish' }));
      for (const name of ['a', 'packs/two']) await server.client.send(new DeleteObjectCommand({ Bucket, Key: key(name) }));
      assert.deepEqual((await collect(storage.list(''))).map(({ name }) => name), ['packs/one']);
      const past = openStorage(`${address}&at=${new Date(newest).toISOString()}`);
      assert.equal(past.isPast, true);
      assert.deepEqual((await collect(past.list('packs/'))).map(({ name, sizeBytes }) => `${name} ${sizeBytes}`), ['packs/one 18', 'packs/two 18']);
      assert.equal((await past.get('packs/one')).toString(), 'bytes of packs/one');
      assert.equal((await past.get('packs/two', { offset: 6, length: 2 })).toString(), 'of');
      assert.deepEqual(await past.stat('a'), { name: 'a', sizeBytes: 10 });
      assert.equal(await past.stat('packs/old'), null);
      await assert.rejects(past.get('packs/t'), { code: 'STORAGE_OBJECT_MISSING' });
      for (const call of [() => past.put('b', Buffer.from('b')), () => past.delete('a')]) await assert.rejects(call(), { code: 'STORAGE_READ_ONLY' });
      const before = openStorage(`${address}&at=2026-01-01T00:00:00Z`);
      assert.deepEqual(await collect(before.list('')), []);
      for (const store of [past, before]) await store.close();
    });

    test('tells what somebody put other bytes over, also behind a delete, and nothing that was put twice', async () => {
      const { storage, Bucket, key } = await open();
      for (const name of ['packs/a', 'packs/b', 'packs/c', 'others']) await storage.put(name, Buffer.from(`bytes of ${name}`));
      await server.client.send(new PutObjectCommand({ Bucket, Key: key('packs/a'), Body: 'rubbish with as many bytes'.slice(0, 'bytes of packs/a'.length) }));
      await server.client.send(new PutObjectCommand({ Bucket, Key: key('packs/b'), Body: 'bytes of packs/b' }));
      await storage.delete('packs/c');
      await storage.put('packs/c', Buffer.from('sound'));
      await server.client.send(new PutObjectCommand({ Bucket, Key: key('others'), Body: 'rubbish' }));
      assert.deepEqual(await collect(storage.objectLock!.overwritten((name) => name.startsWith('packs/'))), ['packs/a', 'packs/c']);
    });

    test('lets go for good what was deleted before an instant, once nobody holds it any more', async () => {
      const { storage, Bucket, key } = await open();
      await storage.put('free', Buffer.from('free'), { passing: true });
      await storage.put('held', Buffer.from('held'));
      await storage.put('there', Buffer.from('there'));
      await storage.put('others', Buffer.from('x'), { passing: true });
      for (const name of ['free', 'held', 'others']) await storage.delete(name);
      const early = await storage.objectLock?.purge(new Date(Date.now() - DAY_MS), () => true);
      assert.deepEqual(early, { removed: 0, removedBytes: 0, hidden: 3, hiddenBytes: 9, refused: null });
      const late = await storage.objectLock?.purge(new Date(Date.now() + DAY_MS), (name) => name !== 'others');
      assert.deepEqual(late, { removed: 1, removedBytes: 4, hidden: 1, hiddenBytes: 4, refused: null });
      const { Versions = [], DeleteMarkers = [] } = await versionsOf(Bucket);
      assert.deepEqual([Versions.map(({ Key }) => Key).sort(), DeleteMarkers.map(({ Key }) => Key).sort()], [[key('held'), key('others'), key('there')], [key('held'), key('others')]]);
    });

    test('is asked for at the start; a bucket without it is refused before anything is put', async () => {
      assert.deepEqual(await (await open()).storage.objectLock?.assertAvailable(), []);
      const plain = openStorage(`${await server.newStore()}&objectLock=governance:10`);
      await assert.rejects(async () => plain.objectLock?.assertAvailable(), (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, 'STORAGE_LOCK_UNAVAILABLE');
        assert.match(error.hint, /--object-lock-enabled-for-bucket/);
        return true;
      });
      await assert.rejects(plain.put('a', Buffer.from('a')), { code: 'STORAGE_LOCK_UNAVAILABLE', retryable: false });
      await plain.close();
    });
  });
}
