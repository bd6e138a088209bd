import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { readRestore } from '../../../src/http/console/read-restore.ts';

const ID = '5f0000000000000000000001';
const at = { oplogTs: 5, oplogInc: 7 };
const refusal = (body: unknown): string => {
  try {
    readRestore(body);
  } catch (error) {
    assert.ok(isLeafvaultError(error), String(error));
    return error.code;
  }
  return assert.fail('it was read');
};

describe('the body of a restore', () => {
  test('names a snapshot or an instant, and where it goes', () => {
    assert.deepEqual(readRestore({ snapshotId: ID }), { delivery: 'automated', snapshotId: ID, timeSeries: undefined, target: null });
    const { target, instant, selection } = readRestore({ instant: { pointInTimeUTCSeconds: 1_700_000_000 }, target: { groupId: ID, clusterId: ID }, collections: ['a.b'], renames: [{ from: 'a', to: 'c' }] });
    assert.deepEqual([target, instant, selection], [
      { projectId: ID, clusterId: ID }, { time: new Date(1_700_000_000_000) }, { databases: [], collections: ['a.b'], renames: [{ from: 'a', to: 'c' }] },
    ]);
    assert.deepEqual(readRestore({ instant: { ...at, date: '1970-01-01T00:00:05.000Z' } }).instant, { border: { t: 5, i: 7 } }, 'as it was told');
    assert.deepEqual(readRestore({ instant: at }).instant, { border: { t: 5, i: 7 } });
  });

  test('says what is left out in three forms', () => {
    const uuid = '01234567-89AB-cdef-0123-456789abcdef';
    const { leaveOut } = readRestore({
      instant: at, dependents: 'apply',
      leaveOut: [{ ...at }, { ...at, operation: 3 }, { session: uuid, from: at }, { namespace: 'a.b', kind: 'delete', from: at, to: at }],
    });
    const time = { t: 5, i: 7 };
    assert.deepEqual(leaveOut, {
      dependents: 'apply',
      what: [{ at: time }, { at: time, operation: 3 }, { session: '0123456789abcdef0123456789abcdef', from: time }, { namespace: 'a.b', kind: 'delete', from: time, to: time }],
    });
    assert.equal(readRestore({ instant: at, leaveOut: [{ ...at }] }).leaveOut?.dependents, 'refuse');
  });

  test('is refused where it means two things or none', () => {
    for (const body of [{}, { snapshotId: ID, instant: at }, { instant: {} }, { instant: { oplogTs: 1 } }, { instant: { ...at, pointInTimeUTCSeconds: 1 } }]) assert.equal(refusal(body), 'INSTANT_FORM', JSON.stringify(body));
    for (const choice of [{}, { oplogTs: 1 }, { operation: 1 }, { ...at, session: ID }, { ...at, from: at }, { session: 'x' }, { namespace: 'a.b' }, { namespace: 'a.b', kind: 'delete' }, { from: at, to: at }]) {
      assert.equal(refusal({ instant: at, leaveOut: [choice] }), 'LEAVE_OUT_FORM', JSON.stringify(choice));
    }
  });

  test('leaves nothing out of a snapshot', () => {
    assert.equal(refusal({ snapshotId: ID, leaveOut: [at] }), 'LEAVE_OUT_FORM');
  });

  test('is refused with the name of the member that is wrong', () => {
    for (const [body, code] of [
      [[], 'BODY_NOT_OBJECT'], [{ snapshotId: 'x' }, 'ATTRIBUTE_INVALID'], [{ snapshotId: ID, more: 1 }, 'ATTRIBUTE_UNKNOWN'], [{ instant: 3 }, 'ATTRIBUTE_TYPE'],
      [{ instant: at, leaveOut: [{ namespace: 'a.b', kind: 'insrt', from: at, to: at }] }, 'ENUM_UNKNOWN'], [{ instant: at, dependents: 'maybe' }, 'ENUM_UNKNOWN'],
      [{ instant: { oplogTs: -1, oplogInc: 0 } }, 'ATTRIBUTE_INVALID'], [{ snapshotId: ID, target: { groupId: ID } }, 'ATTRIBUTE_MISSING'],
    ] as const) assert.equal(refusal(body), code, JSON.stringify(body));
  });
});
