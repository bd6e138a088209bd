// A rotation that is struck at any call, file step or statement leaves a key file that opens everything, and can be ended.
import assert from 'node:assert/strict';
import { chown, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sql, type Kysely } from 'kysely';
import { createCatalogKeys, unlockCatalog } from '../../src/catalog/catalog-keys.ts';
import { connect } from '../../src/catalog/connection.ts';
import { migrate } from '../../src/catalog/migrate.ts';
import type { Tables } from '../../src/catalog/tables.ts';
import { keyFiles, newKeyFile, oldKeyFile, type KeyFiles } from '../../src/composition/key-files.ts';
import { masterKeyOf, type MasterKey } from '../../src/composition/master-key.ts';
import { rotateMasterKey, type OpenedCatalog, type RotateOptions } from '../../src/composition/rotate-master-key.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { listSlots, openRepository, proveOpener } from '../../src/repository/index.ts';
import { createLocalStorage, createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { atCall, createFaultyStorage, FAULT_MODES, isOutlived, ODD_MODES, strikeCalls, strikeInTurn, type FaultMode } from '../support/faulty-storage.ts';
import { copyToMemory, MASTER_KEY, openTestRepository, randomChunks, readSnapshot, writeSnapshot, type Content } from '../support/repository-fixture.ts';
import { freshSchema, silent, startExternal } from '../support/postgres.ts';

const OLD = masterKeyOf(MASTER_KEY);
const CONTENT: Content = { a: randomChunks(3, 500) };
const LONG = process.env['LEAFVAULT_LONG_TESTS'] !== undefined;
const retry = { attempts: 3, firstDelayMs: 1 };

interface Place extends RotateOptions { readonly secret: Buffer; readonly folder: string }

describe('a rotation of the master key', { timeout: 900_000 }, () => {
  let stopDatabase: () => Promise<void>;
  let db: Kysely<Tables>;
  let base: Storage;
  let snapshotId: string;
  let folder: string;
  let timesEnded = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-rotate-'));
    const database = await startExternal();
    const schema = freshSchema();
    db = connect({ address: { url: database.url }, schema, poolSize: 4, idleTransactionMs: 10_000, log: silent });
    await migrate(db, schema);
    stopDatabase = async () => {
      await db.destroy();
      await database.stop();
    };
    base = createMemoryStorage();
    const repository = await openTestRepository(base);
    snapshotId = (await writeSnapshot(repository, CONTENT)).id;
    await repository.close();
  });
  after(async () => {
    await stopDatabase();
    await rm(folder, { recursive: true, force: true });
  });

  const openCatalog = async (key: MasterKey): Promise<OpenedCatalog> => {
    const secret = await unlockCatalog(db, systemClock, key);
    return { secret, masterKeys: createCatalogKeys(db, systemClock, secret, key), close: async () => undefined };
  };

  /** Store, catalog and key file of an installation that was made with OLD. */
  async function freshPlace(storage?: Storage): Promise<Place> {
    await sql`truncate catalog_keys`.execute(db);
    const own = await mkdtemp(join(folder, 'place-'));
    const path = join(own, 'master.key');
    await keyFiles.write(path, OLD);
    const { secret } = await openCatalog(OLD);
    return { path, storage: storage ?? (await copyToMemory(base)), openCatalog, retry, secret, folder: own };
  }

  /** What a start does: the key file opens repository and catalog. @returns the key */
  async function assertStarts(place: Place, why: string): Promise<MasterKey> {
    const key = (await keyFiles.read(place.path)) ?? assert.fail(`${why}: there is no key file`);
    await proveOpener(place.storage, key.bytes, retry);
    assert.deepEqual((await openCatalog(key)).secret, place.secret, why);
    return key;
  }

  async function assertEnds(place: Place, why: string): Promise<void> {
    await assertStarts(place, why);
    await rotateMasterKey({ ...place, resume: true, removeOldSlot: true });
    const ended = await assertStarts(place, `${why}, resumed`);
    assert.equal(await keyFiles.read(newKeyFile(place.path)), null, why);
    const { slotId, retired } = await rotateMasterKey({ ...place, removeOldSlot: true });
    const now = await assertStarts(place, `${why}, rotated again`);
    assert.notEqual(now.id, ended.id);
    assert.ok(retired.every(({ slots }) => slots.every(({ outcome }) => outcome === 'removed')), why);
    for (const gone of [OLD, ended]) {
      await assert.rejects(proveOpener(place.storage, gone.bytes), (error: LeafvaultError) => ['REPOSITORY_KEY_WRONG', 'REPOSITORY_OBJECT_DAMAGED'].includes(error.code), `${why}: an old key opens the repository`);
      await assert.rejects(openCatalog(gone), { code: 'CATALOG_KEY_OTHER' }, why);
    }
    const readable = (await listSlots(place.storage, now.bytes)).filter(({ kind }) => kind !== 'unreadable');
    assert.deepEqual(readable.map(({ id }) => id), [slotId], `${why}: one slot stays`);
    assert.deepEqual((await readdir(place.folder)).filter((name) => name.startsWith('master.key')), ['master.key'], why);
    // Which key unlocked it makes no difference to what is read: some are enough.
    timesEnded += 1;
    if (timesEnded % 20 === 1) await assertData(place.storage, now);
    await rm(place.folder, { recursive: true });
  }

  async function assertData(storage: Storage, key: MasterKey): Promise<void> {
    const repository = await openRepository({ storage, masterKey: key.bytes, tempDir: join(folder, 'index'), threads: 0, retry });
    assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(snapshotId)), CONTENT);
    await repository.close();
  }

  test('leaves the old key good until it is retired, and then only the new one', async () => {
    const place = await freshPlace();
    const report = await rotateMasterKey(place);
    assert.equal(report.outcome, 'rotated');
    const now = await assertStarts(place, 'rotated');
    assert.notEqual(now.id, OLD.id);
    assert.equal((await stat(place.path)).mode & 0o777, 0o600);
    assert.equal((await stat(oldKeyFile(place.path, OLD.id))).mode & 0o777, 0o600);
    await proveOpener(place.storage, OLD.bytes);
    assert.deepEqual((await openCatalog(OLD)).secret, place.secret);
    assert.deepEqual(report.oldKeyFiles, [oldKeyFile(place.path, OLD.id)]);
    const { outcome, retired } = await rotateMasterKey({ ...place, resume: true, removeOldSlot: true });
    assert.deepEqual([outcome, retired.map(({ masterKeyId }) => masterKeyId)], ['ended', [OLD.id]]);
    await assertEnds(place, 'after all');
  });

  for (const kind of ['memory', 'a local folder'] as const) {
    // `stop` at one call is `stop after` the one before, and a call that fails once and is tried again is less than one whose answer is
    // lost; the local store answers as the one in memory does.
    for (const mode of LONG ? FAULT_MODES : kind === 'memory' ? (['stop after', 'tear', 'lose answer'] as const) : (['tear'] as const)) {
      test(`struck at any call of the store (${kind}, ${mode}) ends with keys that open everything`, async (context) => {
        let call = 1;
        for (; await strikeStore(call, mode, kind); call += 1);
        context.diagnostic(`${call - 1} calls`);
        assert.ok(call > 20, `only ${call - 1} calls were struck`);
      });
    }
  }

  test('struck at any write or list of the store, which comes twice, late, in another order or in part, ends with keys that open everything', async (context) => {
    await strikeInTurn(context, ODD_MODES, 2, (call, mode, turn) => strikeStore(call, mode, 'memory', turn));
  });

  function faultyCatalog(failAt: number, mode: 'stop' | 'stop after'): { readonly open: typeof openCatalog; readonly struck: () => boolean } {
    const { wrap, struck } = striker(failAt, mode);
    const open = async (key: MasterKey): Promise<OpenedCatalog> => {
      const { masterKeys, ...rest } = await wrap(() => openCatalog(key))();
      return { ...rest, masterKeys: { ...masterKeys, add: wrap(masterKeys.add), remove: wrap(masterKeys.remove), exclusively: wrap(masterKeys.exclusively as () => Promise<unknown>) as typeof masterKeys.exclusively } };
    };
    return { open, struck };
  }

  async function strikeStore(call: number, mode: FaultMode, kind: 'memory' | 'a local folder', turn = 0): Promise<boolean> {
    const storage = kind === 'memory' ? undefined : createLocalStorage(await mkdtemp(join(folder, 'store-')));
    if (storage !== undefined) for await (const { name } of base.list('')) await storage.put(name, await base.get(name));
    const place = await freshPlace(storage);
    const faulty = createFaultyStorage(place.storage, call, mode);
    const done = await rotateMasterKey({ ...place, storage: faulty, removeOldSlot: true }).then(() => true, () => false);
    if (!faulty.struck) return false;
    if (isOutlived(mode)) assert.equal(done, true, `call ${call}, ${mode}: a try that may be repeated was given up`);
    // What is late comes before the next start, or in the middle of what ends the rotation.
    if (turn % 2 === 0) await faulty.arrive();
    // Slots are read one after the other in no promised order: none may stand in the way of one that opens.
    await assertEnds({ ...place, storage: atCall(place.storage, 1 + (call * 5) % 20, faulty.arrive) }, `call ${call}, ${mode}`);
    return true;
  }

  for (const mode of ['stop', 'stop after'] as const) {
    test(`struck at any step with the key files (${mode}) ends with keys that open everything`, async (context) => {
      let call = 1;
      for (; ; call += 1) {
        const place = await freshPlace();
        const { files, struck } = faultyFiles(call, mode);
        await rotateMasterKey({ ...place, files, removeOldSlot: true }).catch(() => undefined);
        if (!struck()) break;
        await assertEnds(place, `step ${call}`);
      }
      context.diagnostic(`${call - 1} steps`);
      assert.ok(call > 10, `only ${call - 1} steps were struck`);
    });

    test(`struck at any statement to the catalog (${mode}: the answer of a transaction is lost) ends with keys that open everything`, async (context) => {
      let call = 1;
      for (; ; call += 1) {
        const place = await freshPlace();
        const faulty = faultyCatalog(call, mode);
        await rotateMasterKey({ ...place, openCatalog: faulty.open, removeOldSlot: true }).catch(() => undefined);
        if (!faulty.struck()) break;
        await assertEnds(place, `statement ${call}`);
      }
      context.diagnostic(`${call - 1} calls of the catalog`);
      assert.ok(call > 6, `only ${call - 1} calls were struck`);
    });
  }

  test('twice at the same time ends at one key that opens everything', async () => {
    for (let round = 0; round < 10; round += 1) {
      const place = await freshPlace();
      const both = await Promise.allSettled([rotateMasterKey({ ...place, removeOldSlot: true }), rotateMasterKey({ ...place, removeOldSlot: round % 2 === 0 })]);
      assert.ok(both.some(({ status }) => status === 'fulfilled'), JSON.stringify(both));
      await assertEnds(place, `round ${round}`);
    }
  });

  test('that others overtook twice changes nothing any more, though a third one has begun', async () => {
    const place = await freshPlace();
    const slow = rotateMasterKey({
      ...place,
      openCatalog: async (key) => {
        const opened = await openCatalog(key);
        // Just before it swaps the files.
        const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
          await rotateMasterKey({ ...place, removeOldSlot: true });
          await rotateMasterKey({ ...place, removeOldSlot: true });
          await keyFiles.write(newKeyFile(place.path), masterKeyOf(Buffer.alloc(32, 99)));
          return opened.masterKeys.exclusively(work);
        };
        return { ...opened, masterKeys: { ...opened.masterKeys, exclusively } };
      },
    });
    await assert.rejects(slow, { code: 'MASTER_KEY_ROTATED' });
    await assertEnds(place, 'overtaken');
  });

  test('tells where the store does not let the old slot go, and what to do', async () => {
    const place = await freshPlace();
    const locked: Storage = { ...place.storage, list: place.storage.list, delete: () => Promise.reject(new LeafvaultError('STORAGE_DENIED', 'AccessDenied: object is WORM protected')) };
    const { retired } = await rotateMasterKey({ ...place, storage: locked, removeOldSlot: true });
    assert.deepEqual(retired.flatMap(({ slots }) => slots.map(({ outcome }) => outcome)), ['refused']);
    assert.match(retired[0]?.slots[0]?.reason ?? '', /WORM/);
    await assertStarts(place, 'locked');
    // Honest: the repository still opens with the old key, the catalog does not.
    await proveOpener(place.storage, OLD.bytes);
    await assert.rejects(openCatalog(OLD), { code: 'CATALOG_KEY_OTHER' });
    const lying: Storage = { ...locked, delete: async () => undefined };
    const again = await rotateMasterKey({ ...place, storage: lying, removeOldSlot: true });
    assert.deepEqual(again.retired.flatMap(({ slots }) => slots.map(({ outcome }) => outcome)), ['kept', 'kept']);
    assert.equal((await rotateMasterKey({ ...place, resume: true, removeOldSlot: true })).retired.length, 2, 'when the lock is over they go');
    await assertEnds(place, 'unlocked');
  });

  describe('with a second copy', () => {
    async function copyOf(place: Place): Promise<Storage> {
      const copy = createMemoryStorage();
      await runCopier(place, copy, OLD);
      return copy;
    }
    async function runCopier(place: Place, copy: Storage, key: MasterKey): Promise<void> {
      const repository = await openRepository({ storage: place.storage, masterKey: key.bytes, tempDir: join(folder, 'copier'), threads: 0, retry });
      await repository.copyTo({ to: copy });
      await repository.close();
    }
    const codeOf = (error: LeafvaultError): string => error.code;

    test('puts the new slot there, so that the copy is read when the first store is lost before a copier came by', async () => {
      const place = await freshPlace();
      const copy = await copyOf(place);
      const { copiesBehind } = await rotateMasterKey({ ...place, copies: [copy], removeOldSlot: true });
      assert.deepEqual(copiesBehind, []);
      const now = await assertStarts(place, 'rotated');
      await assertData(copy, now);
      await runCopier(place, copy, now);
      assert.deepEqual((await listSlots(copy, now.bytes)).map(({ masterKeyId }) => masterKeyId), [now.id], 'the old slot goes with the next run');
    });

    test('that lacks the slot is named, and no key is retired before a copier has brought it', async () => {
      const place = await freshPlace();
      const copy = await copyOf(place);
      const away = createFaultyStorage(copy, 1, 'stop');
      const report = await rotateMasterKey({ ...place, copies: [away] });
      assert.deepEqual(report.copiesBehind.map(({ address }) => address), [copy.address]);
      const now = await assertStarts(place, 'rotated');
      const retire = (copies: readonly Storage[]) => rotateMasterKey({ ...place, copies, resume: true, removeOldSlot: true });
      // One that is not mounted looks empty, another one is no copy at all.
      for (const lacking of [away, createMemoryStorage(), await copyToMemory(base)]) {
        await assert.rejects(retire([lacking]), (error: LeafvaultError) => codeOf(error) === 'MASTER_KEY_COPY_BEHIND' && error.message.includes(lacking.address) && /leafvault copy/.test(error.hint ?? ''));
      }
      await proveOpener(place.storage, OLD.bytes);
      assert.deepEqual((await openCatalog(OLD)).secret, place.secret, 'the old key opens everything as before');
      await runCopier(place, copy, now);
      assert.equal((await retire([copy])).retired.length, 1);
      await assertData(copy, now);
    });

    test('struck at any call to it leaves no copy that a retired key alone opens', async (context) => {
      const calls = await strikeCalls(context, async (call) => {
        const place = await freshPlace();
        const copy = await copyOf(place);
        const faulty = createFaultyStorage(copy, call, FAULT_MODES[call % FAULT_MODES.length]);
        const ended = await rotateMasterKey({ ...place, copies: [faulty], removeOldSlot: true }).catch(codeOf);
        if (typeof ended === 'string') assert.equal(ended, 'MASTER_KEY_COPY_BEHIND');
        const now = await assertStarts(place, `call ${call}`);
        if (typeof ended !== 'string') await proveOpener(copy, now.bytes);
        else await proveOpener(place.storage, OLD.bytes);
        return faulty.struck;
      });
      assert.ok(calls > 5, `${calls}`);
    });
  });

  test('gives the new file the owner of the old one, so that an administrator may change the key of a service', { skip: process.getuid?.() !== 0 }, async () => {
    const place = await freshPlace();
    await chown(place.path, 12_345, 12_345);
    await rotateMasterKey(place);
    for (const file of [place.path, oldKeyFile(place.path, OLD.id)]) assert.equal((await stat(file)).uid, 12_345, file);
  });

  test('names a file that is in its way and holds no key', async () => {
    const place = await freshPlace();
    await writeFile(newKeyFile(place.path), 'something', { mode: 0o600 });
    await assert.rejects(rotateMasterKey(place), { code: 'MASTER_KEY_DAMAGED', hint: /remove it/ });
    await assertStarts(place, 'in its way');
  });

  test('begins nothing with --resume, and clears away what a dead process left', async () => {
    const place = await freshPlace();
    const leaving = `${newKeyFile(place.path)}.0123456789ab`;
    await writeFile(leaving, 'half', { mode: 0o600 });
    await utimes(leaving, 0, 0);
    assert.equal((await rotateMasterKey({ ...place, resume: true })).outcome, 'ended');
    assert.deepEqual(await readdir(place.folder), ['master.key']);
    assert.equal((await readFile(place.path, 'utf8')).trim(), OLD.recoveryKey);
  });
});

function faultyFiles(failAt: number, mode: 'stop' | 'stop after'): { readonly files: KeyFiles; readonly struck: () => boolean } {
  const strike = striker(failAt, mode);
  return {
    struck: strike.struck,
    files: Object.fromEntries(Object.entries(keyFiles).map(([name, step]) => [name, strike.wrap(step as (...args: never[]) => Promise<unknown>)])) as unknown as KeyFiles,
  };
}

/** Wraps calls; the chosen one does not happen, or its answer is lost; nothing happens after it. */
function striker(failAt: number, mode: 'stop' | 'stop after') {
  let calls = 0;
  let dead = false;
  return {
    struck: () => dead,
    wrap: <T>(step: (...args: never[]) => Promise<T>) => async (...args: never[]): Promise<T> => {
      if (dead) throw new Error('the process is dead');
      calls += 1;
      if (calls !== failAt) return step(...args);
      dead = true;
      if (mode === 'stop after') await step(...args);
      throw new Error('a fault was injected');
    },
  };
}
