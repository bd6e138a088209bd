// Signs of life of work that is no job, one at a time.
import type { Logger } from '../foundation/logger.ts';

/** @param what for the log: `the check` */
export function startBeat(beat: () => Promise<void>, { everyMs, what, log }: { readonly everyMs: number; readonly what: string; readonly log: Logger }): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(beat).catch((error: unknown) => log.warn({ err: error }, `${what} could not give a sign of life`));
  }, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
