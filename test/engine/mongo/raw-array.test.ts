import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON } from 'mongodb';
import { rawChild, rawDocument } from '../../../src/engine/bson/index.ts';
import { loadRawArrayMaker } from '../../../src/engine/mongo/raw-array.ts';

test('an array goes into a command byte for byte', () => {
  const make = loadRawArrayMaker() ?? assert.fail('this driver takes no raw arrays');
  const twice = rawDocument([{ name: 'a', type: 0x10, value: Buffer.alloc(4) }, { name: 'a', type: 0x10, value: Buffer.alloc(4, 1) }]);
  const large = rawDocument([{ name: '_id', type: 0x05, value: Buffer.concat([Buffer.from('0000ff0000', 'hex'), Buffer.alloc(0xff0000)]) }]);
  for (const array of [rawDocument([]), rawDocument([{ name: '0', type: 3, value: twice }]), rawDocument([{ name: '0', type: 3, value: large }])]) {
    const command = BSON.serialize({ applyOps: make('applyOps', array), w: 1 });
    assert.ok(rawChild(command, 'applyOps')?.equals(array));
    assert.deepEqual(BSON.deserialize(command, { promoteValues: false }).w, new BSON.Int32(1));
  }
});
