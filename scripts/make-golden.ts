// Makes the golden repository of a format version, once for each: `node scripts/make-golden.ts v2`; `v1-deltas` is one whose snapshot rests in part on the one before,
// `v1-keeps` one of several snapshots that facts keep, or don't. Later versions of both readers have to read
// what lies in test/fixtures/golden for ever.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { BACKUP_ROLE } from '../src/engine/mongo/roles.ts';
import { createLocalStorage } from '../src/storage/index.ts';
import { takeSnapshot } from '../test/support/capture.ts';
import { deltasIn } from '../test/support/delta-fixture.ts';
import { keepOplog } from '../test/support/kept-oplog.ts';
import { startReplicaSet } from '../test/support/mongod.ts';
import { writeCorpus } from '../test/support/odd-corpus.ts';
import { openTestRepository } from '../test/support/repository-fixture.ts';
import { digests, unpackArchive } from '../test/support/unpacked-archive.ts';
import { openOplogSource } from '../test/engine/replay/oplog-source.ts';

const [version = ''] = process.argv.slice(2);
if (!/^v\d+(-deltas|-keeps)?$/.test(version)) throw new Error('node scripts/make-golden.ts v<number of the format version>[-deltas|-keeps]');
/** What is said of a snapshot, in this order, and whether it is there. The first one is of the snapshot that is read. */
const SAID: readonly { readonly facts: readonly (readonly [kind: string, body: Readonly<Record<string, unknown>>])[]; readonly kept: boolean }[] = [
  { facts: [['pin', { kept: true, by: 'golden', reason: null }], ['deleted', {}]], kept: true },
  { facts: [['deleted', {}], ['hold', { kept: true, by: 'golden', reason: 'somebody may ask for it' }]], kept: true },
  { facts: [['pin', {}], ['deleted', {}]], kept: true },
  { facts: [['pin', { kept: true, by: 'golden', reason: null }], ['hold', { kept: true, by: 'golden', reason: 'two' }], ['deleted', {}], ['pin', { kept: false, by: 'golden' }]], kept: true },
  { facts: [['pin', { kept: true, by: 'golden', reason: null }], ['pin', { kept: false, by: 'golden' }], ['pin', { kept: true, by: 'golden', reason: 'again' }], ['deleted', {}]], kept: true },
  { facts: [['pin', { kept: true, by: 'golden', reason: null }], ['deleted', {}], ['pin', { kept: false, by: 'golden' }]], kept: false },
  { facts: [['hold', { kept: true, by: 'golden', reason: 'one' }], ['pin', { kept: true, by: 'golden', reason: null }], ['hold', { kept: false, by: 'golden' }], ['deleted', {}], ['pin', { kept: false, by: 'golden' }]], kept: false },
  { facts: [['pin', { kept: false, by: 'golden' }], ['deleted', {}]], kept: false },
  { facts: [['deleted', {}]], kept: false },
];

const target = join(import.meta.dirname, '../test/fixtures/golden', version);
const folder = await mkdtemp(join(tmpdir(), 'leafvault-golden-'));
const server = await startReplicaSet({ auth: true });
await server.createRole(BACKUP_ROLE);
const uri = await server.createUser({ user: 'leafvault', password: 'backs up', roles: ['leafvaultBackup'] });
const client = new MongoClient(server.adminUri);
await writeCorpus(client);
const withDeltas = version.endsWith('-deltas');
const moving = client.db('shop').collection<{ _id: number; n: number }>('moving');
// What shrinks well is as short whole as it is as a difference.
await moving.insertMany(Array.from({ length: 300 }, (_, n) => ({ _id: n, n, ...(withDeltas ? { pad: randomBytes(60).toString('base64') } : {}) })));
const repository = await openTestRepository(createLocalStorage(join(target, 'store')));
const oplog = await keepOplog(uri, repository);
const previous = withDeltas ? (await takeSnapshot({ uri, repository })).root : null;
if (previous !== null) await moving.updateMany({ _id: { $in: [20, 150, 290] } }, { $inc: { n: 1_000 } });
const { root } = await takeSnapshot({ uri, repository, previous, onPhase: async () => {
  await moving.updateOne({ _id: 7 }, { $inc: { n: 1 } });
  await moving.deleteOne({ _id: 8 });
} });
const keeps: { readonly kept: string[]; readonly gone: string[] } = { kept: [], gone: [] };
for (const [i, { facts, kept }] of version.endsWith('-keeps') ? SAID.entries() : []) {
  const snapshotId = i === 0 ? root.id : (await takeSnapshot({ uri, repository })).root.id;
  (kept ? keeps.kept : keeps.gone).push(snapshotId);
  for (const [minute, [kind, body]] of facts.entries()) await repository.addFact({ snapshotId, kind, createdAt: new Date(Date.UTC(2025, 0, 1, 0, minute)).toISOString(), body });
}
const source = await openOplogSource(client);
await oplog.reach(await source.now());
await oplog.stop();
const files = await digests(await unpackArchive(repository, root, folder));
let slices = 0;
for await (const _slice of repository.chains.slices(oplog.chainId)) slices += 1;
await repository.close();
const deltas = previous === null ? {} : { deltas: (await deltasIn(createLocalStorage(join(target, 'store')))).length };
await writeFile(join(target, 'expected.json'), `${JSON.stringify({ snapshotId: root.id, chainId: oplog.chainId, slices, ...deltas, ...(keeps.kept.length === 0 ? {} : { keeps }), files }, null, 1)}\n`);
await client.close();
await server.stop();
await rm(folder, { recursive: true, force: true });
console.log(`${Object.keys(files).length} files of the snapshot ${root.id} and ${slices} slices are in ${target}`);
