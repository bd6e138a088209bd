import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseS3Address } from '../../../src/storage/s3/s3-address.ts';

describe('the address of a bucket', () => {
  test('names bucket, prefix, endpoint and region', () => {
    assert.deepEqual(parseS3Address('s3://backups/mongo/prod/?endpoint=https://s3.example:9000&region=eu-central-1'), {
      bucket: 'backups', prefix: 'mongo/prod', endpoint: 'https://s3.example:9000', region: 'eu-central-1', pathStyle: true, profile: null, objectLock: null, at: null,
      text: 's3://backups/mongo/prod/?endpoint=https://s3.example:9000&region=eu-central-1',
    });
    const { prefix, endpoint, region, pathStyle } = parseS3Address('s3://my.bucket');
    assert.deepEqual([prefix, endpoint, region, pathStyle], ['', null, null, false]);
    assert.equal(parseS3Address('s3://b-1?endpoint=http://h&pathStyle=false').pathStyle, false);
  });

  test('says whose credentials, how objects are held, and as of when', () => {
    const { profile, objectLock, at } = parseS3Address('s3://backups?profile=vault&objectLock=compliance:30&at=2026-11-27T10:00:00Z');
    assert.deepEqual([profile, objectLock, at], ['vault', { mode: 'compliance', days: 30 }, new Date('2026-11-27T10:00:00Z')]);
  });

  test('is refused with what is wrong', () => {
    for (const [address, why] of [
      ['s3://', /no address|bucket/], ['s3://Bucket_1/x', /bucket/], ['s3://b', /bucket/], ['s3://bucket:9000/x', /bucket/], ['s3://bucket/a b', /prefix/], ['s3://bucket?regio=x', /regio is not known/],
      ['s3://bucket?endpoint=ftp://h', /endpoint/], ['s3://bucket?endpoint=https://h/path', /endpoint/], ['s3://bucket?pathStyle=yes', /pathStyle/], ['s3://key:secret@bucket', /credentials/], ['s3://bucket?endpoint=https%3A%2F%2Fkey%3Asecret%40host', /credentials/], ['s3://bucket/x#y', /behind #/], ['s3://bucket?objectLock=compliance', /objectLock/], ['s3://bucket?objectLock=governance:0', /objectLock/], ['s3://bucket?objectLock=governance:9999', /objectLock/],
      ['s3://bucket?at=yesterday', /instant/], ['s3://bucket?at=2026-11-27T10:00:00', /instant/], ['s3://bucket?profile=a/b', /profile/],
    ] as const) {
      assert.throws(() => parseS3Address(address), (error: Error & { code: string }) => {
        assert.equal(error.code, 'STORAGE_ADDRESS_INVALID', address);
        assert.match(error.message, why);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    }
  });
});
