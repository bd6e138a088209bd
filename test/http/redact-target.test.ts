import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redactTarget } from '../../src/http/redact-target.ts';

describe('redactTarget', () => {
  for (const [from, to] of [
    ['/api/x?token=hush', '/api/x'],
    ['/backup/restore/v2/pull/5f00/s3cret/rs0.tar.gz', '/backup/restore/v2/pull/5f00/***'],
    ['//Backup//restore/v2/pull/5f00/s3cret', '//Backup//restore/v2/pull/5f00/***'],
    ['/backup/restore/v2/pull/5f00/s3cret/rs0.tar.gz?x=1', '/backup/restore/v2/pull/5f00/***'],
    ['', ''],
  ] as const) {
    test(`shows ${to || 'nothing'} of ${from || 'nothing'}`, () => assert.equal(redactTarget(from), to));
  }
});
