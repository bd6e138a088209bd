// Random diffs on random documents, whether they fit or not: what we make of them is what a server makes of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Int32, MongoClient } from 'mongodb';
import { BSON_TYPE, rawFields, readString, type RawField } from '../../../src/engine/bson/index.ts';
import { applyDiff } from '../../../src/engine/replay/index.ts';
import { createRawReader, readAll } from '../../../src/engine/mongo/index.ts';
import { startReplicaSet } from '../../support/mongod.ts';
import { insertAsIs } from '../../support/odd-corpus.ts';
import { show } from '../../support/settled.ts';
import { diffArbitrary, fieldsArbitrary, int, raw, type Value } from './raw-values.ts';

const RUNS = process.env.LEAFVAULT_LONG_TESTS === undefined ? 1_500 : 20_000;
const SEED = 20261126;
const BATCH = 500;

test('a random diff does to a random document what the server does', { timeout: 600_000 }, async (context) => {
  await using set = await startReplicaSet();
  const client = new MongoClient(set.memberUri(0));
  try {
    const pairs = fc.sample(fc.tuple(fieldsArbitrary(3), diffArbitrary(3)), { numRuns: RUNS, seed: SEED });
    const before = pairs.map(([fields], at) => raw(['_id', int(at)], ...fields));
    for (let at = 0; at < before.length; at += BATCH) await insertAsIs(client, 'd', 'c', before.slice(at, at + BATCH));
    await applyAll(client, pairs.map(([, diff]) => diff));
    const reader = await createRawReader(client);
    let misfits = 0;
    let changed = 0;
    let at = 0;
    for await (const found of readAll(reader, 'd', { find: 'c', sort: { _id: 1 } })) {
      let fits = true;
      const [, diff] = pairs[at]!;
      const ours = applyDiff(before[at]!, Buffer.from(diff.value), () => { fits = false; });
      assert.ok(ours.equals(found), `${show(before[at])} with ${show(Buffer.from(diff.value))} gives ${show(ours)}, the server has ${show(Buffer.from(found))}`);
      if (!fits) misfits += 1;
      if (!ours.equals(before[at]!)) changed += 1;
      at += 1;
    }
    context.diagnostic(`${at} diffs: ${changed} change their document, ${misfits} do not fit`);
    assert.equal(at, RUNS);
    assert.ok(misfits > RUNS / 20 && changed > RUNS / 2);
  } finally {
    await client.close();
  }
});

/** `applyOps`, as a replay of the server's own. Documents go as maps: objects would reorder names like "0". */
async function applyAll(client: MongoClient, diffs: readonly Value[]): Promise<void> {
  for (let at = 0; at < diffs.length; at += BATCH) {
    const applyOps = diffs.slice(at, at + BATCH).map(({ value }, index) =>
      ({ op: 'u', ns: 'd.c', o2: { _id: new Int32(at + index) }, o: { $v: new Int32(2), diff: mapOf(Buffer.from(value)) } }));
    const reply = await client.db('admin').command({ applyOps, alwaysUpsert: false });
    assert.deepEqual((reply.results as boolean[]).filter((done) => !done), []);
  }
}

function mapOf(document: Buffer): Map<string, unknown> {
  return new Map([...rawFields(document)].map((field) => [field.name, decode(document, field)]));
}

function decode(document: Buffer, field: RawField): unknown {
  const value = document.subarray(field.valueAt, field.end);
  if (field.type === BSON_TYPE.document) return mapOf(value);
  if (field.type === BSON_TYPE.array) return [...mapOf(value).values()];
  if (field.type === BSON_TYPE.int) return new Int32(value.readInt32LE());
  if (field.type === BSON_TYPE.string) return readString(document, field);
  return field.type === BSON_TYPE.bool ? value[0] === 1 : null;
}
