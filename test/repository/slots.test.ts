// Key slots: what opens a repository, what is refused, and what an altered slot can't do.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initRepository, listSlots, openKeySlots, openRepository, proveOpener, type Opener } from '../../src/repository/index.ts';
import { writeChecksummedJson } from '../../src/repository/format/checksummed-json.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { copyToMemory, MASTER_KEY, objectNames, openTestRepository, randomChunks, readSnapshot, withTempDir, writeSnapshot } from '../support/repository-fixture.ts';

const OTHER = Buffer.alloc(32, 8);
const PASSPHRASE = 'a Café, and five words more';
const CONTENT = { a: randomChunks(2, 300) };

describe('key slots', () => {
  let base: Storage;
  let passphraseSlot: string;
  let snapshotId: string;
  before(async () => {
    base = createMemoryStorage();
    const repository = await openTestRepository(base);
    snapshotId = (await writeSnapshot(repository, CONTENT)).id;
    await repository.close();
    passphraseSlot = (await (await openKeySlots({ storage: base, opener: MASTER_KEY })).addPassphrase(PASSPHRASE)).id;
  });

  const open = (storage: Storage, masterKey: Opener, folder: string) => openRepository({ storage, masterKey, tempDir: folder, threads: 0 });

  test('of a passphrase open the data, in any form of its letters, and nothing else does', () => withTempDir(async (folder) => {
    for (const passphrase of [PASSPHRASE, PASSPHRASE.normalize('NFD')]) {
      const repository = await open(base, { passphrase }, folder);
      assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(snapshotId)), CONTENT);
      await repository.close();
    }
    await assert.rejects(open(base, { passphrase: `${PASSPHRASE} ` }, folder), { code: 'REPOSITORY_KEY_WRONG' });
    await assert.rejects(open(base, OTHER, folder), { code: 'REPOSITORY_KEY_WRONG' });
  }));

  test('are listed with their kinds, and which open with the key in hand', async () => {
    const kinds = (slots: Awaited<ReturnType<typeof listSlots>>) => slots.map(({ kind, opens }) => [kind, opens]);
    assert.deepEqual(kinds(await listSlots(base, MASTER_KEY)), [['master key', true], ['passphrase', false]]);
    assert.deepEqual(kinds(await listSlots(base, { passphrase: PASSPHRASE })), [['master key', false], ['passphrase', true]]);
    assert.deepEqual(kinds(await listSlots(base, null)), [['master key', null], ['passphrase', null]]);
  });

  test('are passed by where a program knows no passphrases: no field that it reads is missing', async () => {
    const slot = JSON.parse((await base.get(`keys/${passphraseSlot}`)).toString()) as Record<string, unknown>;
    assert.deepEqual([slot['format'], slot['version'], slot['id'], slot['masterKeyId']], ['leafvault key', 1, passphraseSlot, 'passphrase']);
    for (const field of ['repository', 'salt', 'sealed']) assert.equal(typeof slot[field], 'string');
  });

  for (const [weak, why] of [['elevenchars', /11 characters, 12/], ['aaaaaaaaaaaabbbb', /only 2 different/], ['', /0 characters/]] as const) {
    test(`are not made for ${JSON.stringify(weak)}`, async () => {
      const storage = await copyToMemory(base);
      await assert.rejects((await openKeySlots({ storage, opener: MASTER_KEY })).addPassphrase(weak), { code: 'REPOSITORY_PASSPHRASE_WEAK', message: why });
      assert.equal((await objectNames(storage)).filter((name) => name.startsWith('keys/')).length, 2);
    });
  }

  test('go, but never the last one that opens with the key in hand', async () => {
    const storage = await copyToMemory(base);
    const slots = await openKeySlots({ storage, opener: MASTER_KEY });
    const [first] = await slots.list();
    await assert.rejects(slots.remove(first?.id ?? ''), { code: 'REPOSITORY_SLOT_NEEDED' });
    const byPassphrase = await openKeySlots({ storage, opener: { passphrase: PASSPHRASE } });
    await assert.rejects(byPassphrase.remove(passphraseSlot), { code: 'REPOSITORY_SLOT_NEEDED' });
    await assert.rejects(slots.remove('0'.repeat(24)), { code: 'REPOSITORY_SLOT_MISSING' });
    assert.equal(await slots.remove(passphraseSlot), 'removed');
    await assert.rejects(proveOpener(storage, { passphrase: PASSPHRASE }), { code: 'REPOSITORY_KEY_WRONG' });
    await proveOpener(storage, MASTER_KEY);
  });

  test('are added once for a master key, also from a passphrase alone', async () => {
    const storage = await copyToMemory(base);
    const slots = await openKeySlots({ storage, opener: { passphrase: PASSPHRASE } });
    const { id, added } = await slots.addMasterKey(OTHER);
    assert.deepEqual([added, await slots.addMasterKey(OTHER)], [true, { id, added: false }]);
    assert.equal((await proveOpener(storage, OTHER)).slotId, id);
  });

  /** The passphrase's slot with other fields under a checksum that fits, as an attacker who has the store can write it. */
  async function alter(change: Record<string, unknown>): Promise<Storage> {
    return copyToMemory(base, (name, bytes) => {
      if (name !== `keys/${passphraseSlot}`) return bytes;
      const { checksum: _, ...slot } = JSON.parse(bytes.toString()) as Record<string, unknown>;
      return writeChecksummedJson({ ...slot, ...change });
    });
  }

  for (const kdf of [
    { name: 'scrypt', n: 2 ** 30, r: 8, p: 1 }, { name: 'scrypt', n: 2 ** 20, r: 16, p: 1 }, { name: 'scrypt', n: 2 ** 17 + 1, r: 8, p: 1 }, { name: 'scrypt', n: 2 ** 17, r: 8, p: 1e9 },
    { name: 'scrypt', n: 2, r: 1, p: 1 }, { name: 'scrypt', n: '131072', r: 8, p: 1 }, { name: 'md5' }, null,
  ]) {
    test(`with the cost ${JSON.stringify(kdf)} are refused before anything is computed, and stand in no other one's way`, async () => {
      const storage = await alter({ kdf });
      await assert.rejects(proveOpener(storage, { passphrase: PASSPHRASE }), { code: 'REPOSITORY_OBJECT_DAMAGED' });
      await proveOpener(storage, MASTER_KEY);
      const slots = await openKeySlots({ storage, opener: MASTER_KEY });
      assert.deepEqual((await slots.list()).filter(({ kind }) => kind === 'unreadable').map(({ id }) => id), [passphraseSlot]);
      assert.equal(await slots.remove(passphraseSlot), 'removed');
    });
  }

  test('with a cheaper cost or another salt than they were made with do not open', async () => {
    for (const change of [{ kdf: { name: 'scrypt', n: 2 ** 14, r: 8, p: 1 } }, { salt: Buffer.alloc(32).toString('base64') }]) {
      await assert.rejects(proveOpener(await alter(change), { passphrase: PASSPHRASE }), { code: 'REPOSITORY_KEY_WRONG' });
    }
  });

  test('of a passphrase are tried sixteen times at most', async () => {
    const real = await base.get(`keys/${passphraseSlot}`);
    const { checksum: _, ...slot } = JSON.parse(real.toString()) as Record<string, unknown>;
    const storage = createMemoryStorage();
    await storage.put('repository.json', await base.get('repository.json'));
    const addDecoys = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n += 1) {
        const id = n.toString(16).padStart(24, '0');
        await storage.put(`keys/${id}`, writeChecksummedJson({ ...slot, id, kdf: { name: 'scrypt', n: 2 ** 14, r: 1, p: 1 } }));
      }
    };
    await addDecoys(0, 15);
    await storage.put(`keys/${passphraseSlot}`, real);
    await proveOpener(storage, { passphrase: PASSPHRASE });
    await storage.delete(`keys/${passphraseSlot}`);
    await addDecoys(15, 16);
    await storage.put(`keys/${passphraseSlot}`, real);
    await assert.rejects(proveOpener(storage, { passphrase: PASSPHRASE }), { code: 'REPOSITORY_KEY_WRONG' });
  });

  test('of another repository do not open this one', async () => {
    const other = createMemoryStorage();
    await initRepository({ storage: other, masterKey: OTHER });
    const { id } = await (await openKeySlots({ storage: other, opener: OTHER })).addPassphrase(PASSPHRASE);
    const storage = await copyToMemory(base, (name, bytes) => (name === `keys/${passphraseSlot}` ? null : bytes));
    await storage.put(`keys/${id}`, await other.get(`keys/${id}`));
    await assert.rejects(proveOpener(storage, { passphrase: PASSPHRASE }), { code: 'REPOSITORY_KEY_WRONG' });
    assert.match((await listSlots(storage, MASTER_KEY)).find((slot) => slot.id === id)?.problem ?? '', /another repository/);
  });
});
