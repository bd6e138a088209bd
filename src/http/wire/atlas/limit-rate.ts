// What Atlas puts on every answer to someone who proved who he is: its version and how many requests are left.
import type { FastifyInstance } from 'fastify';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { FacadeContext } from '../../facade.ts';
import { serviceVersionHeader } from '../mms-routes.ts';
import { createRateLimiter } from '../rate-limit.ts';

/** The limit is the one recorded for backups; the vendor's window is not known: here a bucket is full again after six seconds. */
export const RATE = { limit: 1200, refillPerSecond: 200 };

/** Counts by credential; the request beyond the limit ends in RATE_LIMITED. */
export function limitRate(app: FastifyInstance, context: FacadeContext): void {
  const take = createRateLimiter(context.clock, RATE);
  app.addHook('onRequest', async (request, reply) => {
    const { allowed, remaining, retryAfterSeconds } = take(request.principal?.id ?? request.ip);
    void reply.headers({ ...serviceVersionHeader(context), 'ratelimit-limit': String(RATE.limit), 'ratelimit-remaining': String(remaining) });
    if (allowed) return;
    throw new LeafvaultError('RATE_LIMITED', 'Taking a request failed: the limit is used up', { details: { limit: RATE.limit, retryAfterSeconds }, retryable: true });
  });
}
