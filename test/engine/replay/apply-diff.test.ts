import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { rawDocument } from '../../../src/engine/bson/index.ts';
import { applyDiff, applyUpdate } from '../../../src/engine/replay/index.ts';
import { show } from '../../support/settled.ts';
import { doc, int, list, no, none, raw, valueArbitrary, yes, type Fields } from './raw-values.ts';

function gives(before: Buffer, diff: Fields, after: Buffer, misfits: readonly string[] = []): void {
  const met: string[] = [];
  const found = applyDiff(before, raw(...diff), ({ path }) => met.push(path));
  assert.ok(found.equals(after), `${show(found)} should be ${show(after)}`);
  assert.deepEqual(met, misfits);
}

function refused(code: string, before: Buffer, diff: Fields): void {
  assert.throws(() => applyDiff(before, raw(...diff)), (error) => isLeafvaultError(error, code));
}

describe('a diff of a document', () => {
  test('keeps the place of what it updates and puts what it inserts at the end', () => {
    gives(raw(['_id', int(1)], ['a', int(1)], ['b', int(2)], ['c', int(3)]), [['d', doc(['a', no])], ['u', doc(['b', int(9)])], ['i', doc(['z', int(1)], ['y', int(2)])]],
      raw(['_id', int(1)], ['b', int(9)], ['c', int(3)], ['z', int(1)], ['y', int(2)]));
  });

  test('moves an inserted field that is there to the end', () => {
    gives(raw(['a', int(1)], ['b', int(2)]), [['i', doc(['a', int(1)])]], raw(['b', int(2)], ['a', int(1)]));
  });

  test('puts updated fields that are missing before inserted ones, and says so', () => {
    gives(raw(['a', int(1)]), [['u', doc(['x', int(2)])], ['i', doc(['y', int(3)])]], raw(['a', int(1)], ['x', int(2)], ['y', int(3)]), ['"x"']);
  });

  test('leaves odd names and values as they are, and reaches them', () => {
    const before = raw(['', int(1)], ['$x', int(2)], ['a.b', int(3)], ['10', int(4)], ['2', int(5)], ['é', int(6)]);
    gives(before, [['u', doc(['', int(7)], ['a.b', int(8)])], ['i', doc(['$set', int(9)])]], raw(['', int(7)], ['$x', int(2)], ['a.b', int(8)], ['10', int(4)], ['2', int(5)], ['é', int(6)], ['$set', int(9)]));
    gives(raw(['', doc(['', doc(['s', int(1)])])]), [['s', doc(['s', doc(['u', doc(['s', int(2)])])])]], raw(['', doc(['', doc(['s', int(2)])])]));
  });

  test('compares names by their bytes, valid UTF-8 or not', () => {
    const named = (byte: number, value: number): Buffer => rawDocument([{ name: Buffer.of(byte), ...int(value) }]);
    const both = rawDocument([{ name: Buffer.of(0xff), ...int(1) }, { name: Buffer.of(0xfe), ...int(2) }]);
    gives(both, [['u', { type: 3, value: named(0xfe, 5) }]], rawDocument([{ name: Buffer.of(0xff), ...int(1) }, { name: Buffer.of(0xfe), ...int(5) }]));
  });

  test('keeps fields that come twice until one is touched, then it is refused', () => {
    const twice = raw(['a', int(1)], ['a', int(2)], ['b', doc(['c', int(1)], ['c', int(2)])]);
    gives(twice, [['i', doc(['z', int(1)])]], raw(['a', int(1)], ['a', int(2)], ['b', doc(['c', int(1)], ['c', int(2)])], ['z', int(1)]));
    refused('REPLAY_FIELD_AMBIGUOUS', twice, [['u', doc(['a', int(3)])]]);
    refused('REPLAY_FIELD_AMBIGUOUS', twice, [['sb', doc(['d', doc(['c', no])])]]);
  });

  test('says what does not fit, and does it as the server does', () => {
    gives(raw(['a', int(1)]), [['d', doc(['b', no])]], raw(['a', int(1)]), ['"b"']);
    gives(raw(['a', int(1)]), [['sb', doc(['u', doc(['c', int(1)])])]], raw(['a', int(1)]), ['"b"']);
    gives(raw(['a', int(1)], ['b', list()]), [['sa', doc(['u', doc(['c', int(1)])])], ['sb', doc(['i', doc(['c', int(1)])])]], raw(['a', none], ['b', none]), ['"a"', '"b"']);
  });
});

describe('a diff of an array', () => {
  test('updates, grows, shrinks and fills with null', () => {
    const before = raw(['l', list(int(1), int(2), int(3))]);
    gives(before, [['sl', doc(['a', yes], ['u1', int(9)], ['u3', int(4)])]], raw(['l', list(int(1), int(9), int(3), int(4))]));
    gives(before, [['sl', doc(['a', yes], ['l', int(1)])]], raw(['l', list(int(1))]));
    gives(before, [['sl', doc(['a', yes], ['l', int(0)])]], raw(['l', list()]));
    gives(before, [['sl', doc(['a', yes], ['u5', int(6)])]], raw(['l', list(int(1), int(2), int(3), none, none, int(6))]));
    gives(before, [['sl', doc(['a', yes], ['l', int(5)])]], raw(['l', list(int(1), int(2), int(3), none, none)]));
    gives(before, [['sl', doc(['a', yes], ['s3', doc(['u', doc(['x', int(1)])])])]], raw(['l', list(int(1), int(2), int(3), none)]), ['"l"."3"']);
  });

  test('is refused where elements are not named by their places', () => {
    const odd = raw(['l', { type: 4, value: raw(['0', int(1)], ['0', int(2)]) }]);
    gives(odd, [['u', doc(['z', int(1)])]], raw(['l', { type: 4, value: raw(['0', int(1)], ['0', int(2)]) }], ['z', int(1)]), ['"z"']);
    refused('REPLAY_FIELD_AMBIGUOUS', odd, [['sl', doc(['a', yes], ['u1', int(3)])]]);
  });

  test('from any array to any other gives the other', () => {
    const arrays = fc.tuple(fc.array(valueArbitrary(1), { maxLength: 30 }), fc.array(valueArbitrary(1), { maxLength: 30 }));
    fc.assert(fc.property(arrays, ([from, to]) => {
      const same = (at: number): boolean => from[at]?.type === to[at]?.type && Buffer.from(from[at]!.value).equals(to[at]!.value);
      const changes = to.flatMap((value, at) => (at < from.length && same(at) ? [] : [[`u${at}`, value] as const]));
      const diff = doc(['a', yes], ...(to.length < from.length ? [['l', int(to.length)] as const] : []), ...changes);
      gives(raw(['l', list(...from)]), [['sl', diff]], raw(['l', list(...to)]));
    }), { numRuns: 500, seed: 7 });
  });
});

describe('an update', () => {
  const before = raw(['_id', int(1)], ['a', int(1)]);

  test('with an _id is the new document, whatever fields it has', () => {
    const next = raw(['_id', int(1)], ['$v', int(2)], ['diff', doc(['u', doc(['a', int(9)])])]);
    assert.ok(applyUpdate(before, next).equals(next));
  });

  test('without an _id and without $v keeps the old _id', () => {
    assert.ok(applyUpdate(before, raw(['b', int(2)])).equals(raw(['_id', int(1)], ['b', int(2)])));
  });

  test('in a form that is not known is refused', () => {
    const diff = (...fields: Fields): Buffer => raw(['$v', int(2)], ['diff', doc(...fields)]);
    const forms: readonly (readonly [string, Buffer])[] = [
      ['$v: 1', raw(['$v', int(1)], ['$set', doc(['a', int(1)])])], ['$set alone', raw(['$set', doc(['a', int(1)])])], ['$unset alone', raw(['$unset', doc(['a', yes])])],
      ['$v: 3', raw(['$v', int(3)], ['diff', doc(['u', doc(['a', int(1)])])])], ['no diff', raw(['$v', int(2)])], ['another field', raw(['$v', int(2)], ['diff', doc(['u', doc()])], ['more', int(1)])],
      ['an empty diff', diff()], ['an unknown section', diff(['x', doc()])], ['a longer name', diff(['up', doc()])], ['sections out of order', diff(['i', doc(['a', int(1)])], ['u', doc(['b', int(1)])])],
      ['a section twice', diff(['u', doc(['a', int(1)])], ['u', doc(['b', int(1)])])], ['a field twice', diff(['u', doc(['a', int(1)])], ['i', doc(['a', int(2)])])], ['a section that is no document', diff(['u', int(1)])],
      ['a part of a binary value', diff(['b', doc(['x', doc(['o', int(3)], ['d', int(1)])])])], ['an array as the root', diff(['a', yes], ['u0', int(1)])],
      ['a head that is false', diff(['sa', doc(['a', no])])], ['a place that is no number', diff(['sa', doc(['a', yes], ['ux', int(1)])])], ['places that fall', diff(['sa', doc(['a', yes], ['u2', int(1)], ['u1', int(1)])])],
      ['a place behind the length', diff(['sa', doc(['a', yes], ['l', int(1)], ['u1', int(1)])])], ['a negative length', diff(['sa', doc(['a', yes], ['l', int(-1)])])], ['a place beyond any document', diff(['sa', doc(['a', yes], ['u99999999', int(1)])])],
    ];
    for (const [what, form] of forms) assert.throws(() => applyUpdate(before, form), (error) => isLeafvaultError(error, 'REPLAY_UPDATE_UNKNOWN'), what);
  });
});
