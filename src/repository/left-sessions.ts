// Sessions that this process opened, is through with, and could not take away: the store had an outage just then.
import { describeError } from '../foundation/errors.ts';
import type { RepositoryContext } from './context.ts';
import { sessionName, SESSIONS } from './format/names.ts';
import { endSession } from './prune/sessions-in-the-way.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'clock' | 'log' | 'left'>;

/** Ends them for good, as a prune would; a writer among them can't put its root any more. What fails is left for the next time. */
export async function endLeftSessions(context: Context): Promise<void> {
  const { clock, left, log } = context;
  // Taken now: one that is left behind the listing may not be in it.
  const sessions = [...left];
  if (sessions.length === 0) return;
  const there = await namesOfSessions(context).catch((error: unknown) => {
    log.warn({ sessions: sessions.length, error: describeError(error) }, 'sessions that an outage left open can not be looked for yet; they hold back pruning');
    return null;
  });
  if (there === null) return;
  for (const [id, { kind, lateUntil }] of sessions) {
    try {
      if (there.has(sessionName(id))) {
        await endSession(context, { id, kind });
        log.info({ session: id }, 'a session that an outage left open was ended');
      }
      // Looked for again until it can't come any more.
      if (lateUntil === null || clock.monotonicMs() >= lateUntil) left.delete(id);
    } catch (error) {
      log.warn({ session: id, error: describeError(error) }, 'a session that an outage left open can not be ended yet; it holds back pruning');
    }
  }
}

async function namesOfSessions({ storage }: Context): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for await (const { name } of storage.list(SESSIONS)) names.add(name);
  return names;
}
