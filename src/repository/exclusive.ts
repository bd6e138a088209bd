// Work that no prune may cross, nor a second one of its kind: it puts the session of a prune.
import { LeafvaultError } from '../foundation/errors.ts';
import type { RepositoryContext } from './context.ts';
import { sessionName } from './format/names.ts';
import { endSession, openSessions } from './prune/sessions-in-the-way.ts';
import type { OpenSession } from './repository.ts';
import { openSession } from './sessions.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'clock' | 'log' | 'owner' | 'left'>;

export interface Exclusive {
  readonly sessionId: string;
  /** Before each step that takes something away. @throws REPOSITORY_BUSY when somebody took this process for dead and ended its session */
  assertStands(): Promise<void>;
}

/**
 * @param isOver sessions of a prune whose owner is gone: they are ended
 * @throws REPOSITORY_BUSY where a prune, a copier or a repair is at work in this store
 */
export async function withExclusive<T>(
  context: Context, isOver: ((session: OpenSession) => boolean | Promise<boolean>) | undefined, work: (exclusive: Exclusive) => Promise<T>,
): Promise<T> {
  const session = await openSession(context, 'prune');
  try {
    for (const other of await openSessions(context)) {
      if (other.kind !== 'prune' || other.id === session.id) continue;
      if (!context.left.has(other.id) && (await isOver?.(other)) !== true) throw busy(context.storage.address, other);
      await endSession(context, other);
    }
    return await work({
      sessionId: session.id,
      async assertStands() {
        if ((await context.storage.stat(sessionName(session.id))) === null) throw busy(context.storage.address, null);
      },
    });
  } finally {
    await session.end();
  }
}

function busy(address: string, other: OpenSession | null): LeafvaultError {
  const who = other === null ? 'this session was ended by another one' : `the session ${other.id} of ${other.owner === '' ? 'somebody unknown' : other.owner} is open since ${other.createdAt}`;
  return new LeafvaultError('REPOSITORY_BUSY', `Working on the repository in ${address} was refused: a prune, a copier or a repair is at work there (${who})`, {
    hint: 'Run it again when the other one is through; the session of a dead process of another machine is ended by `leafvault prune --end-sessions-after`, in a copy by `leafvault copy --end-sessions-after`',
    retryable: true,
  });
}
