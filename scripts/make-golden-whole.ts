// Made the golden repository `v1-whole`, once, of what the other ones have not: a dump of a catalog, fences and a root behind them, copies that a check found bad, and a
// second copy that keeps what went from its source. `node scripts/make-golden-whole.ts`
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { timeOfPosition } from '../src/domain/cluster-time.ts';
import { LeafvaultError } from '../src/foundation/errors.ts';
import { newId } from '../src/foundation/ids.ts';
import { dumpCatalog } from '../src/jobs/index.ts';
import { createLocalStorage, type Storage } from '../src/storage/index.ts';
import { takeSnapshot } from '../test/support/capture.ts';
import { insertCompleted, makeInventory } from '../test/support/catalog-rows.ts';
import { named } from '../test/support/delta-fixture.ts';
import { keepOplog } from '../test/support/kept-oplog.ts';
import { startReplicaSet } from '../test/support/mongod.ts';
import { startEmbedded } from '../test/support/postgres.ts';
import { collect, openTestRepository } from '../test/support/repository-fixture.ts';
import { digests, unpackArchive } from '../test/support/unpacked-archive.ts';
import { openOplogSource } from '../test/engine/replay/oplog-source.ts';

const URI = 'mongodb://u:top-secret@127.0.0.1:27017/';
const target = join(import.meta.dirname, '../test/fixtures/golden/v1-whole');
const folder = await mkdtemp(join(tmpdir(), 'leafvault-golden-'));
const storage = createLocalStorage(join(target, 'store'));
const [server, database] = await Promise.all([startReplicaSet(), startEmbedded()]);
const client = new MongoClient(server.uri);
const catalog = await database.open();
const inventory = await makeInventory(catalog, URI);
const series = inventory.cluster.id;
await catalog.clusters.setContinuousBackup(series, true);
const moving = client.db('shop').collection<{ _id: number; n: number }>('moving');
await moving.insertMany(Array.from({ length: 100 }, (_, n) => ({ _id: n, n })));
await moving.createIndex({ n: 1 });
await client.db('shop').collection<{ _id: number; text: string }>('still').insertMany(Array.from({ length: 40 }, (_, n) => ({ _id: n, text: randomBytes(40).toString('base64') })));
const repository = await openTestRepository(storage);
const oplog = await keepOplog(server.uri, repository, series);
const { head } = (await collect(repository.chains.list()))[0]!;
const from = timeOfPosition(head.from);
await catalog.transaction((tx) => tx.chains.save({
  id: head.id, clusterId: series, replicaSetId: oplog.replicaSetId, from, to: from, slices: 0, records: 0, rawBytes: 0, storedBytes: 0, createdAt: new Date(head.createdAt), newestSliceAt: null, end: null,
}));

/** The process dies at the first object of this name; what it had begun is ended by a prune. */
async function dieAt(isIt: (name: string) => boolean, work: (dying: Awaited<ReturnType<typeof openTestRepository>>) => Promise<unknown>): Promise<void> {
  let dead = false;
  const act = <T>(run: () => Promise<T>): Promise<T> => (dead ? Promise.reject(new LeafvaultError('STORAGE_FAILED', 'the process is dead', { retryable: false })) : run());
  const dying: Storage = {
    ...storage,
    put: (name, bytes, options) => {
      dead ||= isIt(name);
      return act(() => storage.put(name, bytes, options));
    },
    delete: (name) => act(() => storage.delete(name)),
  };
  const over = await openTestRepository(dying).then(work).then(() => true, () => false);
  if (over || !dead) throw new Error('nothing died');
  await repository.prune({ isOver: () => true });
}
const copy = async (): Promise<unknown> => repository.copyTo({ to: createLocalStorage(join(target, 'copy')), keepDays: 3, isOver: () => true });

// Only the copy has it in the end.
const went = (await takeSnapshot({ uri: server.uri, repository, root: { id: newId(), series } })).root;
await copy();
await moving.insertMany(Array.from({ length: 40 }, (_, n) => ({ _id: 1_000 + n, n })));
await repository.addFact({ snapshotId: went.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
for (let round = 0; round < 3; round += 1) await repository.prune();

// In the third place, behind two fences; of another snapshot there is a fence alone.
const { snapshotId } = await insertCompleted(catalog, inventory);
const fenced = newId();
for (const id of [snapshotId, snapshotId, fenced]) {
  await dieAt((name) => name.startsWith('snapshots/'), (dying) => takeSnapshot({ uri: server.uri, repository: dying, root: { id, series } }));
}
const { root } = await takeSnapshot({ uri: server.uri, repository, root: { id: snapshotId, series }, onPhase: async () => {
  await moving.updateOne({ _id: 7 }, { $inc: { n: 1 } });
  await moving.deleteOne({ _id: 8 });
} });
const expiresAt = '2031-05-06T07:08:09.000Z';
await repository.addFact({ snapshotId, kind: 'expiry', createdAt: new Date().toISOString(), body: { expiresAt } });

const dump = (await dumpCatalog({ dumps: catalog.dumps, repository }, { reason: 'asked', wait: true }))!;
await dieAt((name) => name.endsWith('/manifest'), (dying) => dumpCatalog({ dumps: catalog.dumps, repository: dying }, { reason: 'asked', wait: true }));
await repository.dumps.trim(() => true);

// A byte comes flipped from the store, once; what it belonged to is stored anew by the next snapshot.
const [largest] = (await named(storage)).sort((a, b) => b.storedLength - a.storedLength);
const bad = { pack: `packs/${largest!.pack.slice(-2)}/${largest!.pack}`, at: largest!.offset + 20 };
const flipped = await openTestRepository({
  ...storage,
  async get(name, range, options) {
    const bytes = Buffer.from(await storage.get(name, range, options));
    const at = bad.at - (range?.offset ?? 0);
    if (name === bad.pack && at >= 0 && at < bytes.length) bytes[at]! ^= 1;
    return bytes;
  },
});
if ((await flipped.check({ readData: true, quarantine: true })).quarantinedCopies !== 1) throw new Error('nothing was found bad');
await flipped.close();
const newest = (await takeSnapshot({ uri: server.uri, repository, root: { id: newId(), series } })).root;
if ((await named(storage)).filter(({ id }) => id === largest!.id).length !== 2) throw new Error('it was not stored anew');

const source = await openOplogSource(client);
await oplog.reach(await source.now());
await oplog.stop();
const missedAt = new Date().toISOString();
await copy();

const files = await digests(await unpackArchive(repository, root, folder));
const slices = (await collect(repository.chains.slices(oplog.chainId))).length;
await repository.close();
await writeFile(join(target, 'expected.json'), `${JSON.stringify({
  snapshotId, chainId: oplog.chainId, slices, files,
  whole: { snapshots: [snapshotId, newest.id].sort(), fenced, clusterId: series, uri: URI, expiresAt, dump: { id: dump.id, sha256: dump.sha256 }, bad, copy: { snapshots: [went.id, snapshotId, newest.id].sort(), went: went.id, missedAt } },
}, null, 1)}\n`);
await catalog.close();
await client.close();
await Promise.all([server.stop(), database.stop()]);
await rm(folder, { recursive: true, force: true });
console.log(`${Object.keys(files).length} files of the snapshot ${root.id} and ${slices} slices are in ${target}`);
