// A bucket of requests for each who asks: full at first, refilled steadily. Kept in this process only, so that several
// doors each grant the limit.
import type { Clock } from '../../foundation/clock.ts';

export interface RateLimit {
  /** Most requests at once. */
  readonly limit: number;
  readonly refillPerSecond: number;
}

export interface Allowance {
  readonly allowed: boolean;
  readonly remaining: number;
  /** 0 when allowed. */
  readonly retryAfterSeconds: number;
}

interface Bucket { tokens: number; atMs: number }

/** Full buckets are forgotten beyond this many, so that memory stays bounded. */
const MOST_BUCKETS = 10_000;

/** Takes one request from the bucket of `who`. */
export function createRateLimiter(clock: Clock, { limit, refillPerSecond }: RateLimit): (who: string) => Allowance {
  const buckets = new Map<string, Bucket>();
  const level = (bucket: Bucket, nowMs: number): number => Math.min(limit, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * refillPerSecond);
  return (who) => {
    const nowMs = clock.monotonicMs();
    const known = buckets.get(who);
    const tokens = known === undefined ? limit : level(known, nowMs);
    const allowed = tokens >= 1;
    buckets.set(who, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
    if (buckets.size > MOST_BUCKETS) {
      for (const [name, bucket] of buckets) if (level(bucket, nowMs) >= limit) buckets.delete(name);
    }
    return allowed
      ? { allowed, remaining: Math.floor(tokens - 1), retryAfterSeconds: 0 }
      : { allowed, remaining: 0, retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / refillPerSecond)) };
  };
}
