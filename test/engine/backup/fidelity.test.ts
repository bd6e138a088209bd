// Promise 5: what lies in the chunks is what lay on the server, byte by byte, also where settling read it again.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MongoClient, Timestamp, type Document } from 'mongodb';
import { bytesOf, createKernel, documentsOf as countOf, hashOf, newHashState, rawDocument, rawId } from '../../../src/engine/bson/index.ts';
import { BACKUP_ROLE, createRawReader, readAll } from '../../../src/engine/mongo/index.ts';
import { insertRaw, type RawBatch } from '../../../src/engine/mongo/raw-insert.ts';
import { loadSequenceMaker } from '../../../src/engine/mongo/raw-insert-sequence.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { readBack, takeSnapshot } from '../../support/capture.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { idText, type SettledEntry } from '../../support/settled.ts';
import { fidelityCorpus, oddIds } from './fidelity-corpus.ts';

let servers: ReplicaSet;
let client: MongoClient;
let repository: Repository;
let uri: string;

before(async () => {
  servers = await startReplicaSet({ auth: true, parameters: { minSnapshotHistoryWindowInSeconds: 600 } });
  await servers.createRole(BACKUP_ROLE);
  uri = await servers.createUser({ user: 'backup', password: 'x', roles: ['leafvaultBackup'] });
  client = await MongoClient.connect(servers.adminUri);
  repository = await openTestRepository(createMemoryStorage(), { packBytes: 4 * 1024 * 1024 });
});

after(async () => {
  await client?.close(true);
  await repository?.close();
  await servers?.stop();
});

async function insert(db: string, collection: string, documents: readonly Buffer[]): Promise<void> {
  for (const document of documents) {
    const batch: RawBatch = { pieces: [document], documents: 1, bytes: document.length };
    await insertRaw({ db: client.db(db), collection, label: `${db}.${collection}`, makeSequence: loadSequenceMaker(), maxDocumentBytes: 16 * 1024 * 1024, ordered: true }, batch);
  }
}

async function onServer(db: string, collection: string): Promise<Buffer[]> {
  const documents: Buffer[] = [];
  for await (const each of readAll(await createRawReader(client), db, { find: collection, hint: { $natural: 1 } })) documents.push(Buffer.from(each));
  return documents;
}

async function capture(onScan?: () => Promise<void>): Promise<Map<string, SettledEntry>> {
  const { root } = await takeSnapshot({ uri, repository, onPhase: async (phase) => {
    if (phase !== 'scanned' || onScan === undefined) return;
    await onScan();
    // A write that only the primary acknowledged may be later than T1.
    await client.db('barrier').collection('b').insertOne({}, { writeConcern: { w: 'majority' } });
  } });
  return readBack(repository, root);
}

function inAnyOrder(documents: readonly Buffer[]): string[] {
  return documents.map((document) => document.toString('hex')).sort();
}

describe('a captured document', () => {
  it('is what lies on the server, whatever it holds', async () => {
    const corpus = [...fidelityCorpus().values()];
    await insert('odd', 'corpus', corpus);
    assert.deepEqual(inAnyOrder(await onServer('odd', 'corpus')), inAnyOrder(corpus));
    assert.deepEqual(inAnyOrder((await capture()).get('odd.corpus')!.documents), inAnyOrder(corpus));
  });

  it('is what lies on the server where settling read it again', async () => {
    const corpus = [...fidelityCorpus().values()];
    await insert('odd', 'again', corpus);
    const collection = client.db('odd').collection<Document>('again');
    const zero = rawWithZeroTimestamp();
    const entries = await capture(async () => {
      await collection.deleteMany({});
      await insert('odd', 'again', [...corpus.toReversed(), zero]);
    });
    const entry = entries.get('odd.again')!;
    assert.equal(entry.touched, corpus.length + 1);
    assert.deepEqual(inAnyOrder(entry.documents), inAnyOrder([...corpus, zero]));
  });

  it('is found again by an _id of any type', async () => {
    await insert('odd', 'ids', oddIds());
    const collection = client.db('odd').collection<Document>('ids');
    const entries = await capture(async () => void (await collection.updateMany({}, { $set: { touched: true } })));
    const entry = entries.get('odd.ids')!;
    assert.equal(entry.touched, oddIds().length);
    assert.deepEqual(inAnyOrder(entry.documents), inAnyOrder(await onServer('odd', 'ids')));
    assert.deepEqual(entry.documents.map((document) => rawId(document)!.toString('hex')).sort(), oddIds().map((document) => rawId(document)!.toString('hex')).sort());
  });

  it('is not confused with an equal one of other bytes', async () => {
    const plain = client.db('odd').collection<Document>('equal');
    await plain.insertMany([{ _id: 1 as never, was: 'int' }, { _id: 2 as never, was: 'int' }]);
    const folded = await client.db('odd').createCollection<Document>('folded', { collation: { locale: 'en', strength: 2 } });
    await folded.insertMany([{ _id: 'A' as never, was: 'upper' }, { _id: 'b' as never, was: 'lower' }]);
    const entries = await capture(async () => {
      await plain.deleteOne({ _id: 1 as never });
      await client.db('odd').command({ insert: 'equal', documents: [{ _id: 1.5 - 0.5, double: true }] });
      await client.db('odd').command({ insert: 'equal', documents: [{ _id: new Timestamp({ t: 1, i: 1 }) }] });
      await folded.deleteOne({ _id: 'A' as never });
      await folded.insertOne({ _id: 'a' as never, was: 'lower' });
    });
    for (const name of ['equal', 'folded']) assert.deepEqual(inAnyOrder(entries.get(`odd.${name}`)!.documents), inAnyOrder(await onServer('odd', name)));
  });

  it('may be as large as documents get', async () => {
    const exactly = rawOfLength(16 * 1024 * 1024);
    const pad = 'x'.repeat(7_000_000);
    await insert('large', 'documents', [exactly]);
    await client.db('large').collection<Document>('documents').insertMany(Array.from({ length: 5 }, (_, n) => ({ _id: n as never, pad })));
    const entries = await capture(async () => void (await client.db('large').collection<Document>('documents').updateMany({ _id: { $lt: 5 } as never }, { $set: { again: 1 } })));
    assert.deepEqual(hashes(entries.get('large.documents')!.documents), hashes(await onServer('large', 'documents')));
    await client.db('large').dropDatabase();
  });

  it('lies under any name that a collection can have', async () => {
    const names = ['new\nline', 'tab\there', 'two..dots', 'trailing.', ' leading space', 'ünïcode-集合', '$not', 'a"quote\'', 'x'.repeat(235), 'control\u0001', '.lead'].filter((name) => !name.startsWith('$') && !name.startsWith('.'));
    for (const name of names) await client.db('odd-names').collection(name).insertOne({ name });
    const entries = await capture(async () => {
      for (const name of names) await client.db('odd-names').collection(name).updateOne({ name }, { $set: { touched: 1 } });
    });
    for (const name of names) assert.deepEqual(inAnyOrder(entries.get(`odd-names.${name}`)!.documents), inAnyOrder(await onServer('odd-names', name)), JSON.stringify(name));
  });

  it('adds up to the hash, count and bytes that its entry states', async () => {
    const kernel = createKernel(repository.hashSeed);
    for (const [name, { body, documents }] of await capture()) {
      const state = newHashState();
      kernel.frame(Buffer.concat(documents), { state, onSlice: () => undefined });
      assert.deepEqual([body.hash, body.documents, body.bytes], [hashOf(state), countOf(state), bytesOf(state)], name);
    }
  });
});

describe('what lies around documents', () => {
  it('keeps the order of index keys and number-like names in options', async () => {
    const db = client.db('catalog');
    await db.createCollection('c', { validator: new Map([['10', { $exists: true }], ['2', { $exists: false }]]) as unknown as Document, validationLevel: 'off' });
    await db.command({ createIndexes: 'c', indexes: [{ name: 'order', key: new Map([['b', 1], ['10', -1], ['2', 1]]) }] });
    const raw: { options: Buffer[]; indexes: Buffer[] } = { options: [], indexes: [] };
    const reader = await createRawReader(client);
    for await (const each of readAll(reader, 'catalog', { listIndexes: 'c' })) raw.indexes.push(Buffer.from(each));
    for await (const each of readAll(reader, 'catalog', { listCollections: 1, filter: { name: 'c' } })) raw.options.push(Buffer.from(each));
    const { body } = (await capture()).get('catalog.c')!;
    assert.ok(Buffer.from(body.indexes, 'base64').includes(raw.indexes[1]!));
    assert.ok(raw.options[0]!.includes(Buffer.from(body.options, 'base64')));
    assert.ok(Buffer.from(body.options, 'base64').indexOf('\x0310\0') < Buffer.from(body.options, 'base64').indexOf('\x032\0'));
  });
});

function rawWithZeroTimestamp(): Buffer {
  return rawDocument([{ name: '_id', type: 0x10, value: Buffer.from([99, 0, 0, 0]) }, { name: 'zero', type: 0x11, value: Buffer.alloc(8) }]);
}

function rawOfLength(length: number): Buffer {
  const document = Buffer.alloc(length, 0x61);
  document.writeInt32LE(length, 0);
  document.write('\x10_id\0', 4, 'latin1');
  document.writeInt32LE(7_777, 9);
  document.write('\x02s\0', 13, 'latin1');
  document.writeInt32LE(length - 21, 16);
  document.writeUInt8(0, length - 2);
  document.writeUInt8(0, length - 1);
  return document;
}

function hashes(documents: readonly Buffer[]): string[] {
  return documents.map((document) => `${idText(document)} ${document.length} ${document.subarray(0, 64).toString('hex')} ${document.subarray(-64).toString('hex')}`).sort();
}
