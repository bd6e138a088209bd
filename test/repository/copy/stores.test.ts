// From and to every kind of store: a local folder, two real S3 servers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { createLocalStorage, openStorage, type Storage } from '../../../src/storage/index.ts';
import { assertWholeCopy, copyTo, goOn, makeSource, sharedNames, type Source } from '../../support/copy-fixture.ts';
import { startS3, whyNot, type S3Kind, type S3Server } from '../../support/s3-servers.ts';
import { objectNames, withTempDir } from '../../support/repository-fixture.ts';

/** Copies, goes on in the source, copies again: the same names, whole, and nothing left to do. */
async function copyTwice(source: Source, to: Storage): Promise<void> {
  await copyTo(source.storage, to);
  assert.deepEqual(await assertWholeCopy(to, source.contents, 'first'), [...source.live].sort());
  await goOn(source);
  const later = await copyTo(source.storage, to);
  assert.ok(later.deleted > 0 && !later.postponed);
  assert.deepEqual(await sharedNames(to), await sharedNames(source.storage));
  assert.deepEqual(await assertWholeCopy(to, source.contents, 'later'), [...source.live].sort());
  assert.equal((await copyTo(source.storage, to)).objects, 0);
  await source.repository.close();
}

for (const kind of ['moto', 'versitygw'] as const satisfies readonly S3Kind[]) {
  const why = await whyNot(kind);
  describe(`a copy by way of ${kind}`, { skip: why ?? false }, () => {
    let server: S3Server;
    before(async () => { server = await startS3(kind); });
    after(async () => { await server?.[Symbol.asyncDispose](); });

    test('in a bucket, from a local folder', () => withTempDir(async (folder) => {
      const from = createLocalStorage(join(folder, 'first'));
      const to = openStorage(await server.newStore('second'));
      await copyTwice(await makeSource(from), to);
      await to.close();
      await from.close();
    }));

    test('in a local folder, from a bucket', () => withTempDir(async (folder) => {
      const from = openStorage(await server.newStore());
      const to = createLocalStorage(join(folder, 'second'));
      await copyTwice(await makeSource(from), to);
      await to.close();
      await from.close();
    }));

    test('in another bucket; one bucket with two prefixes is told apart, the same one is refused', async () => {
      const address = await server.newStore('one');
      const [from, same, to] = [openStorage(address), openStorage(address), openStorage(address.replace('/one?', '/two?'))];
      const source = await makeSource(from);
      await assert.rejects(copyTo(from, same), { code: 'REPOSITORY_COPY_REFUSED' });
      await copyTwice(source, to);
      assert.deepEqual((await objectNames(from)).filter((name) => name.startsWith('sessions/')), []);
      for (const store of [from, same, to]) await store.close();
    });
  });
}
