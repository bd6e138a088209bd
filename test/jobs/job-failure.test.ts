import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { failureOf, passwordIn, scrub } from '../../src/jobs/job-failure.ts';

describe('the failure of a job', () => {
  test('keeps code, message and hint of ours', () => {
    const failure = failureOf(new LeafvaultError('X_BROKEN', 'It broke', { hint: 'Mend it' }), new Set());
    assert.deepEqual(failure, { code: 'X_BROKEN', message: 'It broke', hint: 'Mend it' });
  });

  test('tells the causes of what is not ours', () => {
    const failure = failureOf(new Error('outer', { cause: new Error('inner') }), new Set());
    assert.equal(failure.code, 'JOBS_FAILED');
    assert.equal(failure.message, 'outer: inner');
  });

  test('holds no secret in any spelling, no credentials of an address, no control characters', () => {
    const secrets = new Set(['p@ss word', 'ab']);
    assert.equal(scrub('p@ss word p%40ss%20word mongodb://u:x@h/ a\u0000b\u001b', secrets), '*** *** mongodb://***@h/ a b ');
    assert.equal(scrub('x'.repeat(5000), secrets).length, 2000);
  });
});

describe('the password in a connection string', () => {
  test('is found decoded, or not there', () => {
    assert.equal(passwordIn('mongodb://u:p%40ss@h1,h2/?replicaSet=rs0'), 'p@ss');
    assert.equal(passwordIn('mongodb+srv://u:100%25@h'), '100%');
    assert.equal(passwordIn('mongodb://u:broken%@h'), 'broken%');
    assert.equal(passwordIn('mongodb://u@h'), null);
    assert.equal(passwordIn('mongodb://h:27017/?x=a@b'), null);
  });
});
