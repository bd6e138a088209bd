import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { rawId } from '../../../src/engine/bson/index.ts';
import { foldDocument, type FoldSubject, type ReplayOperation } from '../../../src/engine/replay/index.ts';
import { doc, int, no, raw, type Fields } from './raw-values.ts';

const base = raw(['_id', int(7)], ['a', int(1)]);
const subject = { namespace: 'd.c', id: rawId(base)! };
const operation = (kind: ReplayOperation['kind'], object: Buffer, i = 1): ReplayOperation => ({ kind, object, id: subject.id, newId: null, time: { t: 5, i }, sequence: i, dependent: false });
const change = (...diff: Fields): ReplayOperation => operation('update', raw(['$v', int(2)], ['diff', doc(...diff)]));
const removal = operation('delete', Buffer.alloc(0));

describe('operations on a document', () => {
  test('follow each other to the document at the border', () => {
    const again = raw(['_id', int(7)], ['b', int(2)]);
    const folded = foldDocument(base, [change(['u', doc(['a', int(2)])]), removal, operation('insert', again), change(['i', doc(['c', int(3)])])], subject);
    assert.ok(folded?.equals(raw(['_id', int(7)], ['b', int(2)], ['c', int(3)])));
    assert.equal(foldDocument(null, [operation('insert', base), removal], subject), null);
    assert.equal(foldDocument(base, [], subject), base);
  });

  test('that meet something else than at the source are refused with namespace, id and position', () => {
    const misses: readonly (readonly [string, Buffer | null, ReplayOperation])[] = [
      ['insert onto a document', base, operation('insert', base, 9)], ['update of nothing', null, { ...change(['u', doc(['a', int(2)])]), time: { t: 5, i: 9 } }], ['delete of nothing', null, { ...removal, time: { t: 5, i: 9 } }],
      ['delete of a missing field', base, { ...change(['d', doc(['z', no])]), time: { t: 5, i: 9 } }], ['sub-diff of a number', base, { ...change(['sa', doc(['i', doc(['z', int(1)])])]), time: { t: 5, i: 9 } }],
      ['another _id', base, operation('update', raw(['_id', int(8)]), 9)], ['an _id in a diff', base, { ...change(['u', doc(['_id', int(8)])]), time: { t: 5, i: 9 } }],
    ];
    for (const [what, document, each] of misses) {
      assert.throws(() => foldDocument(document, [each], subject), (error) => {
        assert.ok(isLeafvaultError(error, 'REPLAY_OPERATION_MISSED'), what);
        assert.match(error.message, /5:9 on d\.c, _id 10:07000000/);
        assert.deepEqual(error.details, { namespace: 'd.c', id: '10:07000000', position: { t: 5, i: 9 }, kind: each.kind });
        return true;
      });
    }
  });

  test('of a bucket of a time series may update a smallest or largest value that is missing: it is added', () => {
    const bucket = raw(['_id', int(7)], ['control', doc(['min', doc(['x', int(1)])], ['max', doc(['x', doc(['y', int(1)])])])], ['data', doc()]);
    const added = change(['scontrol', doc(['smin', doc(['u', doc(['z', int(2)])])], ['smax', doc(['sx', doc(['u', doc(['z', int(2)])])])])]);
    const buckets = { ...subject, buckets: true };
    assert.ok(foldDocument(bucket, [added], buckets)?.equals(
      raw(['_id', int(7)], ['control', doc(['min', doc(['x', int(1)], ['z', int(2)])], ['max', doc(['x', doc(['y', int(1)], ['z', int(2)])])])], ['data', doc()])));

    const missed = (diff: Fields[number], where: FoldSubject = buckets): void => assert.throws(() => foldDocument(bucket, [change(diff)], where), (error) => isLeafvaultError(error, 'REPLAY_OPERATION_MISSED'));
    missed(['sdata', doc(['u', doc(['z', int(2)])])]);
    missed(['scontrol', doc(['u', doc(['z', int(2)])])]);
    missed(['scontrol', doc(['smin', doc(['d', doc(['z', no])])])]);
    missed(['scontrol', doc(['smin', doc(['sz', doc(['u', doc(['z', int(2)])])])])]);
    missed(['scontrol', doc(['smin', doc(['u', doc(['z', int(2)])])])], subject);
  });

  test('of an unknown form say where they are', () => {
    assert.throws(() => foldDocument(base, [operation('update', raw(['$v', int(1)], ['$set', doc(['a', int(2)])]))], subject),
      (error) => isLeafvaultError(error, 'REPLAY_UPDATE_UNKNOWN') && error.message.includes('d.c') && error.details.id === '10:07000000');
  });
});
