// Proves on the connected server that document sequences arrive as they were sent, before anything rests on it.
import { randomBytes } from 'node:crypto';
import type { MongoClient } from 'mongodb';
import { BSON_TYPE, rawDocument, type RawValue } from '../bson/index.ts';
import { PLAN_DB } from './namespaces.ts';
import { insertRaw } from './raw-insert.ts';
import { loadSequenceMaker, type SequenceMaker } from './raw-insert-sequence.ts';
import { createRawReader, documentsOfBatch } from './raw-read.ts';

const COLLECTION = 'selftest';

/**
 * The way to write raw that works with this driver and server, null when only the public API is left.
 * Writes two small documents in `__leafvault`, reads them back and removes them.
 */
export async function proveSequences(client: MongoClient): Promise<SequenceMaker | null> {
  const makeSequence = loadSequenceMaker();
  if (makeSequence === null) return null;
  const db = client.db(PLAN_DB);
  const run = randomBytes(9).toString('base64url');
  const sent = [1, 2].map((number) => oddDocument(`${run}.${number}`));
  try {
    const pieces = [Buffer.concat(sent)];
    await insertRaw({ db, collection: COLLECTION, label: `${PLAN_DB}.${COLLECTION}`, makeSequence, maxDocumentBytes: 16 * 1024 * 1024, ordered: true }, { pieces, documents: 2, bytes: pieces[0]?.length ?? 0 });
    const reader = await createRawReader(client);
    const { batch } = await reader.open(PLAN_DB, { find: COLLECTION, filter: { _id: { $in: [`${run}.1`, `${run}.2`] } }, sort: { _id: 1 } });
    const found = [...documentsOfBatch(batch)];
    return found.length === 2 && found.every((document, index) => document.equals(sent[index] ?? Buffer.alloc(0))) ? makeSequence : null;
  } finally {
    await db.collection<{ _id: string }>(COLLECTION).deleteMany({ _id: { $in: [`${run}.1`, `${run}.2`] } }).catch(() => undefined);
  }
}

/** A repeated name, an empty one, a number that is no number with a payload: what decoding would lose. */
function oddDocument(id: string): Buffer {
  const text = Buffer.from(`${id}\0`);
  const length = Buffer.alloc(4);
  length.writeInt32LE(text.length);
  const fields: RawValue[] = [
    { name: '_id', type: BSON_TYPE.string, value: Buffer.concat([length, text]) },
    { name: 'twice', type: BSON_TYPE.int, value: Uint8Array.of(1, 0, 0, 0) },
    { name: 'twice', type: BSON_TYPE.int, value: Uint8Array.of(2, 0, 0, 0) },
    { name: '', type: BSON_TYPE.double, value: Uint8Array.of(1, 2, 3, 4, 5, 6, 0xf8, 0x7f) },
  ];
  return rawDocument(fields);
}
