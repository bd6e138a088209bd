// What operators and their machines look at, without credentials: alive, ready, metrics. None of it holds a secret.
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../foundation/clock.ts';
import type { Overview } from '../../services/contracts.ts';
import { createMetrics } from './metrics.ts';

export interface Readiness {
  /** The catalog answers and is migrated. */
  readonly catalog: boolean;
  /** The repository is open. */
  readonly repository: boolean;
  /** The worker of this process runs; true where the process is meant to have none. */
  readonly worker: boolean;
}

export interface ConsoleOptions {
  /** Asked at every look; one that takes longer than `READY_TIMEOUT_MS`, or throws, is not ready. */
  readiness(): Promise<Readiness>;
  readonly overview: Overview;
  readonly clock: Clock;
  /** For the metric `leafvault_info`. */
  readonly version: string;
}

export const READY_TIMEOUT_MS = 5_000;
const NOT_READY: Readiness = { catalog: false, repository: false, worker: false };

/** A plugin for `buildServer`. */
export function consoleDoor(options: ConsoleOptions): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const metrics = createMetrics(options);
    app.get('/healthz', async () => ({ status: 'ok' }));
    app.get('/readyz', async (request, reply) => {
      const parts = await soon(options.readiness()).catch((error: unknown) => {
        request.log.warn({ err: error }, 'readiness cannot be told');
        return NOT_READY;
      });
      const ready = parts.catalog && parts.repository && parts.worker;
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', ...parts });
    });
    app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.read()));
  };
}

function soon<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The parts did not answer within ${READY_TIMEOUT_MS} ms`)), READY_TIMEOUT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
