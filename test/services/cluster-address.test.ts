import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { hostsOf } from '../../src/services/cluster-address.ts';

describe('hostsOf', () => {
  for (const [uri, hosts] of [
    ['mongodb://127.0.0.1:27017/?replicaSet=rs0', ['127.0.0.1:27017']],
    ['mongodb://user:p%40ss:word@a.example,b.example:27018/admin', ['a.example:27017', 'b.example:27018']],
    ['mongodb+srv://user:pass@cluster.example.net/?retryWrites=true', ['cluster.example.net']],
    ['mongodb://[::1]:27017/', ['[::1]:27017']],
    ['mongodb://localhost', ['localhost:27017']],
    ['mongodb://%2Ftmp%2Fmongodb-27017.sock/', ['%2Ftmp%2Fmongodb-27017.sock']],
  ] as const) {
    test(`reads ${uri}`, () => assert.deepEqual(hostsOf(uri, 'cluster'), hosts));
  }

  for (const wrong of ['', 'mysql://root:top-secret@db/', 'mongodb://', 'mongodb://root:top-secret@', 'mongodb://a,,b/', 'mongodb://u:top-secret@x@host/']) {
    test(`refuses ${JSON.stringify(wrong)} without telling it`, () => {
      assert.throws(() => hostsOf(wrong, 'cluster orders'), (error) => isLeafvaultError(error, 'DECLARATION_INVALID') && error.message.includes('cluster orders') && !JSON.stringify([error.message, error.details, error.hint]).includes('top-secret'));
    });
  }
});
