import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON } from 'mongodb';
import type { CollectionBody } from '../../../src/engine/contracts.ts';
import { describeKey } from '../../../src/engine/restore/build-indexes.ts';
import { planIndexes } from '../../../src/engine/restore/index-plan.ts';
import { decodeOrderedText } from '../../../src/engine/snapshot/index.ts';

function body(options: object, indexes: readonly unknown[]): CollectionBody {
  const text = (document: unknown): string => Buffer.from(BSON.serialize(document as never)).toString('base64');
  return { kind: 'collection', db: 'd', name: 'c', uuid: null, options: text(options), indexes: text({ indexes }), documents: 0, bytes: 0, hash: '', capped: false, orderedHash: null, cutMask: 0 };
}

const ID = { v: 2, key: { _id: 1 }, name: '_id_' };
const TTL = { v: 2, key: { at: 1 }, name: 'ttl', expireAfterSeconds: new BSON.Long(60) };
const PLAIN = { v: 2, key: new Map<string, unknown>([['b', 1], ['0', -1]]), name: 'plain', ns: 'd.c', background: true };
const namesOf = (given: CollectionBody, strategy: 'ALL' | 'NONE' | 'ALL_EXCEPT_TTL'): unknown[] => planIndexes(given, strategy).indexes.map((spec) => spec.get('name'));

describe('planned indexes', () => {
  test('are all but _id, or none, or all without an expiry', () => {
    const given = body({}, [ID, { v: 2, key: { _id: 1 }, name: 'by id', clustered: true }, TTL, PLAIN]);
    assert.deepEqual(namesOf(given, 'ALL'), ['ttl', 'plain']);
    assert.deepEqual(namesOf(given, 'NONE'), []);
    assert.deepEqual(namesOf(given, 'ALL_EXCEPT_TTL'), ['plain']);
  });

  test('expire nothing until the value of the source is set', () => {
    const { indexes, expiries } = planIndexes(body({ expireAfterSeconds: new BSON.Long(5) }, [TTL]), 'ALL');
    assert.equal(Number(indexes[0]?.get('expireAfterSeconds')), 2147483647);
    assert.deepEqual(expiries.map(({ index, value }) => [index, String(decodeOrderedText(value).get('expireAfterSeconds'))]), [['ttl', '60'], [null, '5']]);
    assert.deepEqual(planIndexes(body({ expireAfterSeconds: 5 }, [TTL]), 'ALL_EXCEPT_TTL').expiries, []);
  });

  test('keep the order of their key and lose what only old servers say', () => {
    const [spec] = planIndexes(body({}, [PLAIN]), 'ALL').indexes;
    assert.deepEqual([...(spec?.keys() ?? [])], ['v', 'key', 'name']);
    assert.equal(describeKey(spec ?? new Map()), '{b: 1, 0: -1}');
  });

  test('say the simple collation where the collection has another one', () => {
    const own = { ...TTL, name: 'own', collation: { locale: 'fr' } };
    const [simple, kept] = planIndexes(body({ collation: { locale: 'fr' } }, [PLAIN, own]), 'ALL').indexes;
    assert.deepEqual(simple?.get('collation'), { locale: 'simple' });
    assert.equal((kept?.get('collation') as Map<string, unknown>).get('locale'), 'fr');
    assert.equal(planIndexes(body({}, [PLAIN]), 'ALL').indexes[0]?.has('collation'), false);
  });
});
