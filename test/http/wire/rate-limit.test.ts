import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRateLimiter } from '../../../src/http/wire/rate-limit.ts';
import { fakeClock } from '../../support/fake-clock.ts';

describe('createRateLimiter', () => {
  test('counts down, refuses, and lets in again when the bucket has refilled', () => {
    const clock = fakeClock();
    const take = createRateLimiter(clock, { limit: 3, refillPerSecond: 0.5 });
    assert.deepEqual([take('a').remaining, take('a').remaining, take('a').remaining], [2, 1, 0]);
    assert.deepEqual(take('a'), { allowed: false, remaining: 0, retryAfterSeconds: 2 });
    clock.advance(2000);
    assert.equal(take('a').allowed, true);
    assert.equal(take('a').allowed, false);
  });

  test('keeps a bucket for each', () => {
    const take = createRateLimiter(fakeClock(), { limit: 1, refillPerSecond: 1 });
    assert.equal(take('a').allowed, true);
    assert.equal(take('b').allowed, true);
    assert.equal(take('a').allowed, false);
  });

  test('never holds more than the limit', () => {
    const clock = fakeClock();
    const take = createRateLimiter(clock, { limit: 2, refillPerSecond: 100 });
    take('a');
    clock.advance(3_600_000);
    assert.equal(take('a').remaining, 1);
  });
});
