// What a real server takes for equal: both values of a pair are inserted as ids, and the second is refused or not.
import type { Document, MongoClient } from 'mongodb';
import { rawDocument, rawIdField, type RawValue } from '../../../src/engine/bson/index.ts';
import { loadSequenceMaker } from '../../../src/engine/mongo/raw-insert-sequence.ts';

/** Type byte and value. */
export type Raw = Uint8Array;

const BATCH = 1_000;
const DUPLICATE = 11_000;

/** Of each pair, whether the server takes both for one `_id`. The values lie within documents, where any type may be. */
export async function serverEquality(client: MongoClient, pairs: readonly (readonly [Raw, Raw])[]): Promise<boolean[]> {
  const makeSequence = loadSequenceMaker();
  if (makeSequence === null) throw new Error('The driver has no document sequences');
  const db = client.db('equality');
  await db.dropDatabase();
  const equal = pairs.map(() => false);
  for (const side of [0, 1] as const) {
    for (let at = 0; at < pairs.length; at += BATCH) {
      const documents = pairs.slice(at, at + BATCH).map((pair, index) => idOf(at + index, pair[side]));
      const answer = await db.command({ insert: 'pairs', ordered: false, documents: makeSequence('documents', documents) });
      for (const { index, code, errmsg } of (answer.writeErrors ?? []) as Document[]) {
        if (side === 0 || code !== DUPLICATE) throw new Error(String(errmsg));
        equal[at + Number(index)] = true;
      }
    }
  }
  return equal;
}

function idOf(pair: number, value: Raw): Buffer {
  const number: RawValue = { name: 'pair', type: 0x10, value: Buffer.from(Int32Array.of(pair).buffer) };
  return rawDocument([{ name: '_id', type: 0x03, value: rawDocument([number, rawIdField(value, 'value')]) }]);
}
