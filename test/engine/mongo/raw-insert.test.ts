import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BSON, MongoClient, type Db, type Document } from 'mongodb';
import { rawDocument } from '../../../src/engine/bson/index.ts';
import { createRawReader, readAll } from '../../../src/engine/mongo/index.ts';
import { insertRaw, type RawBatch, type RawInsertTarget } from '../../../src/engine/mongo/raw-insert.ts';
import { proveSequences } from '../../../src/engine/mongo/raw-insert-self-test.ts';
import type { SequenceMaker } from '../../../src/engine/mongo/raw-insert-sequence.ts';
import { isLeafvaultError, type LeafvaultError } from '../../../src/foundation/errors.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { field, oddDocuments, zeroTimestampDocuments } from '../../support/odd-corpus.ts';

const MAX = 16 * 1024 * 1024;
const ZERO = new Uint8Array(8);

describe('raw inserts', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let makeSequence: SequenceMaker | null;

  before(async () => {
    server = await startReplicaSet();
    client = new MongoClient(server.uri);
    makeSequence = await proveSequences(client);
  });

  after(async () => {
    await client?.close();
    await server?.stop();
  });

  beforeEach(() => client.db('t').dropDatabase());

  const target = (changes: Partial<RawInsertTarget> = {}): RawInsertTarget => ({ db: client.db('t'), collection: 'c', label: 'shop.orders', makeSequence, maxDocumentBytes: MAX, ordered: false, ...changes });
  const batch = (...documents: readonly Buffer[]): RawBatch => ({ pieces: [Buffer.concat(documents.slice(0, 2)), ...documents.slice(2)], documents: documents.length, bytes: 0 });
  const stored = async (): Promise<Buffer[]> => {
    const found: Buffer[] = [];
    for await (const raw of readAll(await createRawReader(client), 't', { find: 'c', hint: { $natural: 1 } })) found.push(Buffer.from(raw));
    return found;
  };
  const refusal = async (documents: readonly Buffer[], changes: Partial<RawInsertTarget> = {}): Promise<LeafvaultError> => {
    const error: unknown = await insertRaw(target(changes), batch(...documents)).then(() => assert.fail('it was taken'), (reason: unknown) => reason);
    assert.ok(isLeafvaultError(error, 'RESTORE_DOCUMENT_REFUSED'), String(error));
    assert.equal(error.details['namespace'], 'shop.orders');
    return error;
  };

  test('are proven on the connected server and leave nothing behind', async () => {
    assert.ok(makeSequence !== null);
    assert.equal(await client.db('__leafvault').collection('selftest').countDocuments(), 0);
  });

  test('store odd documents byte for byte', async () => {
    const documents = [...oddDocuments(), ...zeroTimestampDocuments()];
    await insertRaw(target(), batch(...documents));
    assert.deepEqual(await stored(), documents);
  });

  test('keep zero timestamps in a capped collection, in order', async () => {
    await client.db('t').createCollection('c', { capped: true, size: 65536 });
    const documents = [...zeroTimestampDocuments(), ...oddDocuments()];
    await insertRaw(target({ ordered: true }), batch(...documents));
    assert.deepEqual(await stored(), documents);
  });

  test('send more documents than one message of updates takes', async () => {
    const documents = Array.from({ length: 2_500 }, (_, n) => rawDocument([field('_id', 0x10, n), field('t', 0x11, ZERO)]));
    await insertRaw(target(), { pieces: [Buffer.concat(documents)], documents: documents.length, bytes: 0 });
    assert.deepEqual(await stored(), documents);
  });

  test('never send a repeated name through a pipeline, which would abort the server', async () => {
    const error = await refusal([rawDocument([field('_id', 0x10, 1), field('a.b', 0x11, ZERO), field('n', 0x03, rawDocument([field('x', 0x10, 1), field('x', 0x10, 2)]))])]);
    assert.match(error.message, /\{"\$numberInt":"1"\}/);
    const twice = await refusal([rawDocument([field('_id', 0x10, 2), field('t', 0x11, ZERO), field('t', 0x11, ZERO)])]);
    assert.match(twice.message, /comes twice/);
    assert.equal((await client.db('admin').command({ ping: 1 }))['ok'], 1);
  });

  test('name documents without a first _id or too large before anything is sent', async () => {
    const large = rawDocument([field('_id', 0x10, 3), field('x', 0x10, 1)]);
    const error = await refusal([rawDocument([field('a', 0x10, 1)]), rawDocument([field('a', 0x10, 1), field('_id', 0x10, 2)]), large], { maxDocumentBytes: large.length - 1 });
    assert.deepEqual((error.details['documents'] as { id: string | null }[]).map(({ id }) => id), [null, '{"$numberInt":"2"}', '{"$numberInt":"3"}']);
    assert.deepEqual(await stored(), []);
  });

  test('name what the server refuses by _id and reason', async () => {
    const error = await refusal([rawDocument([field('_id', 0x10, 1)]), rawDocument([field('_id', 0x04, rawDocument([]))]), rawDocument([field('_id', 0x10, 1)])]);
    const documents = error.details['documents'] as { id: string; reason: string }[];
    assert.deepEqual(documents.map(({ id }) => id), ['[]', '{"$numberInt":"1"}']);
    assert.match(documents[1]?.reason ?? '', /E11000/);
  });

  test('pass over what is there when they are sent again', async () => {
    const documents = [1, 2, 3].map((n) => rawDocument([field('_id', 0x10, n)]));
    await insertRaw(target(), batch(...documents.slice(0, 2)));
    await insertRaw(target(), batch(...documents), { resend: true });
    assert.deepEqual(await stored(), documents);
  });

  test('write past a validator', async () => {
    await client.db('t').createCollection('c', { validator: { a: 1 } });
    await insertRaw(target(), batch(rawDocument([field('_id', 0x10, 1), field('a', 0x10, 2)])));
    assert.equal((await stored()).length, 1);
  });

  test('without the driver\'s inside store what the public API leaves alone and name the rest', async () => {
    const plain = Buffer.from(BSON.serialize({ _id: 1, long: BSON.Long.fromNumber(1), double: new BSON.Double(1), text: 'é' }));
    await insertRaw(target({ makeSequence: null }), batch(plain));
    assert.deepEqual(await stored(), [plain]);
    const error = await refusal(oddDocuments().slice(0, 1), { makeSequence: null });
    assert.match(error.message, /the driver would change it/);
  });

  test('send again what an election cut off in the middle of a batch, and blame no document', async () => {
    let calls = 0;
    const db = {
      command: async (command: Document) => {
        calls += 1;
        if (calls === 1) return { ok: 1, n: 1, writeErrors: [{ index: 1, code: 189, errmsg: 'Not primary while writing to t.c' }] };
        return client.db('t').command(command);
      },
    } as unknown as Db;
    await insertRaw(target({ db }), batch(...[1, 2, 3].map((n) => rawDocument([field('_id', 0x10, n)]))));
    assert.equal(await client.db('t').collection('c').countDocuments(), 3);
    assert.equal(calls, 2);
  });

  test('survive a change of primary', { timeout: 900_000 }, async () => {
    const three = await startReplicaSet({ members: 3 });
    const its = new MongoClient(three.uri, { serverSelectionTimeoutMS: 5_000 });
    try {
      let stepped: Promise<unknown> | undefined;
      for (let n = 0; n < 60; n++) {
        if (n === 20) stepped = three.stepDown();
        await insertRaw(target({ db: its.db('t') }), batch(rawDocument([field('_id', 0x10, n)])));
      }
      await stepped;
      assert.equal(await its.db('t').collection('c').countDocuments(), 60);
    } finally {
      await its.close();
      await three.stop();
    }
  });
});
