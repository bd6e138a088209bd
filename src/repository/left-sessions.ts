// Sessions that this process opened, is through with, and could not take away: the store had an outage just then.
import { describeError } from '../foundation/errors.ts';
import type { RepositoryContext } from './context.ts';
import { endSession } from './prune/sessions-in-the-way.ts';

/** Ends them for good, as a prune would; a writer among them can't put its root any more. What fails is left for the next time. */
export async function endLeftSessions(context: RepositoryContext): Promise<void> {
  for (const [id, { kind, lateUntil }] of context.left) {
    try {
      await endSession(context, { id, kind });
      // Ended again until it can't come any more.
      if (lateUntil !== null && context.clock.monotonicMs() < lateUntil) continue;
      context.left.delete(id);
      context.log.info({ session: id }, 'a session that an outage left open was ended');
    } catch (error) {
      context.log.warn({ session: id, error: describeError(error) }, 'a session that an outage left open can not be ended yet; it holds back pruning');
    }
  }
}
