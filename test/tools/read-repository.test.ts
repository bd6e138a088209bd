// The way out: the tool that shares no code with src/ makes of store and key what our own download makes of the running system.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Decimal128, Double, Long, MongoClient } from 'mongodb';
import { BACKUP_ROLE } from '../../src/engine/mongo/roles.ts';
import { TOP_FOLDER } from '../../src/engine/archive/index.ts';
import { packName } from '../../src/repository/format/names.ts';
import { openKeySlots } from '../../src/repository/index.ts';
import type { SnapshotRoot } from '../../src/repository/repository.ts';
import { recoveryKeyOf } from '../../src/services/index.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { takeSnapshot } from '../support/capture.ts';
import { named } from '../support/delta-fixture.ts';
import { startReplicaSet, type ReplicaSet } from '../support/mongod.ts';
import { writeCorpus } from '../support/odd-corpus.ts';
import { readIndependently } from '../../tools/read-repository.ts';
import { MASTER_KEY, openTestRepository } from '../support/repository-fixture.ts';
import { unpackArchive } from '../support/unpacked-archive.ts';

const TOOL = join(import.meta.dirname, '../../tools/read-repository.ts');
const run = promisify(execFile);

describe('the tool that reads a repository', { timeout: 900_000 }, () => {
  let server: ReplicaSet;
  let folder: string;
  let root: SnapshotRoot;
  const place = (): string => join(folder, 'store');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-tool-'));
    server = await startReplicaSet({ auth: true });
    await server.createRole(BACKUP_ROLE);
    const uri = await server.createUser({ user: 'leafvault', password: 'backs up', roles: ['leafvaultBackup'] });
    const client = new MongoClient(server.adminUri);
    await writeCorpus(client);
    const db = client.db('shop');
    await db.createCollection('odd options', { validator: { n: { $in: [Decimal128.fromString('1.50'), new Double(2), Long.fromNumber(3), /a"b/i, new Date(5)] } }, validationLevel: 'off' });
    await db.collection('odd options').createIndex({ '10': 1, '2': -1 }, { partialFilterExpression: { n: { $gt: Decimal128.fromString('1E+10') } } });
    const moving = db.collection<{ _id: number; n: number }>('moving');
    await moving.insertMany(Array.from({ length: 3_000 }, (_, n) => ({ _id: n, n })));
    const repository = await openTestRepository(createLocalStorage(place()));
    // Written to between scan and settling, so that there is something to leave out and to patch.
    ({ root } = await takeSnapshot({ uri, repository, onPhase: async (phase) => {
      await moving.updateOne({ _id: 7 }, { $set: { n: -1 } });
      await moving.deleteOne({ _id: 8 });
      await moving.insertOne({ _id: 9_000 + phase.length, n: 0 }).catch(() => undefined);
    } }));
    await unpackArchive(repository, root, folder);
    await repository.close();
    await client.close();
    await writeFile(join(folder, 'master.key'), recoveryKeyOf(MASTER_KEY));
  });
  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('lists the snapshots, whatever slot an interrupted beginning left', async () => {
    const [name = ''] = await readdir(join(place(), 'keys'));
    const slot = JSON.parse(await readFile(join(place(), 'keys', name), 'utf8')) as Record<string, string>;
    await writeFile(join(place(), 'keys', '0'.repeat(24)), JSON.stringify({ ...slot, id: '0'.repeat(24), repository: slot['repository']!.replace(/"id":"[0-9a-f]+"/, `"id":"${'1'.repeat(24)}"`) }));
    const { stdout } = await run(process.execPath, [TOOL, place(), join(folder, 'master.key')]);
    assert.match(stdout, new RegExp(`^${root.id}  \\d{4}-.*Z  \\d+ collections and views\\n$`));
  });

  test('takes a passphrase from a file in the place of the key, and refuses another', async () => {
    const file = join(folder, 'passphrase');
    await writeFile(file, 'grün: five words, one of them odd\n');
    await (await openKeySlots({ storage: createLocalStorage(place()), opener: MASTER_KEY })).addPassphrase('grün: five words, one of them odd');
    const { stdout } = await run(process.execPath, [TOOL, place(), `passphrase:${file}`]);
    assert.match(stdout, new RegExp(`^${root.id}  `));
    await writeFile(file, 'grün: five words, one of them even\n');
    await assert.rejects(run(process.execPath, [TOOL, place(), `passphrase:${file}`]), /no slot for this passphrase/);
  });

  test('makes the same files as a download, byte by byte', async () => {
    const [snapshot] = readIndependently(place(), MASTER_KEY).snapshots();
    const moving = snapshot?.entries.find(({ name }) => name === 'shop.moving');
    assert.ok((moving?.lists['touched']?.chunks ?? 0) > 0 && (moving?.lists['patch']?.chunks ?? 0) > 0, 'there is something to leave out and to patch');
    const into = join(folder, 'theirs');
    await run(process.execPath, [TOOL, place(), join(folder, 'master.key'), root.id, into]);
    const files = async (of: string): Promise<string[]> => (await readdir(of, { recursive: true, withFileTypes: true })).filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name).slice(of.length + 1)).sort();
    const ours = join(folder, TOP_FOLDER);
    assert.deepEqual(await files(into), await files(ours));
    for (const name of await files(ours)) assert.deepEqual((await readFile(join(into, name))).toString('latin1'), (await readFile(join(ours, name))).toString('latin1'), name);
  });

  test('makes what can be read of a snapshot that is damaged in part, and names the rest', async () => {
    const store = join(folder, 'rotten');
    await cp(place(), store, { recursive: true });
    const [largest] = (await named(createLocalStorage(store))).sort((a, b) => b.storedLength - a.storedLength);
    const pack = join(store, packName(largest?.pack ?? ''));
    const bytes = await readFile(pack);
    bytes[(largest?.offset ?? 0) + 20]! ^= 1;
    await writeFile(pack, bytes);
    const into = join(folder, 'in part');
    const failure = await run(process.execPath, [TOOL, store, join(folder, 'master.key'), root.id, into]).then(() => assert.fail('it said nothing'), (error: { readonly code: number; readonly stderr: string }) => error);
    assert.equal(failure.code, 3, failure.stderr);
    const [, damaged = ''] = /^DAMAGED: (\S+) is not whole \(chunk [0-9a-f]{64} in packs\//.exec(failure.stderr) ?? assert.fail(failure.stderr);
    const files = async (of: string): Promise<string[]> => (await readdir(of, { recursive: true, withFileTypes: true })).filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name).slice(of.length + 1)).sort();
    const file = `${damaged.replace('.', '/')}`;
    const whole = (await files(join(folder, TOP_FOLDER))).filter((name) => !name.startsWith(`${file}.`));
    assert.deepEqual((await files(into)).filter((name) => name !== `${file}.bson.incomplete`), whole, 'mongorestore finds all but that one');
    for (const name of whole) assert.ok((await readFile(join(into, name))).equals(await readFile(join(folder, TOP_FOLDER, name))), name);
  });

  test('says what is wrong: another key, no such snapshot, no arguments', async () => {
    await writeFile(join(folder, 'other.key'), recoveryKeyOf(Buffer.alloc(32, 9)));
    await writeFile(join(folder, 'broken.key'), 'LV1-AAAA');
    await assert.rejects(run(process.execPath, [TOOL, place(), join(folder, 'other.key')]), /no slot for this master key/);
    await assert.rejects(run(process.execPath, [TOOL, place(), join(folder, 'broken.key')]), /is no master key/);
    await assert.rejects(run(process.execPath, [TOOL, place(), join(folder, 'master.key'), '0'.repeat(24), join(folder, 'x')]), /there is no snapshot/);
    await assert.rejects(run(process.execPath, [TOOL]), /node tools\/read-repository\.ts/);
  });
});
