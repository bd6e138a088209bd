// Sessions: the proof that somebody reads or writes, and the fence that may end them (format document, section 13).
import { describeError, isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import type { RepositoryContext } from './context.ts';
import { sessionEndName, sessionName } from './format/names.ts';
import { openJson, sealJson } from './format/sealed-json.ts';
import { currentGeneration } from './generations.ts';
import { readObjectIfAny } from './read-object.ts';
import type { OpenSession } from './repository.ts';

export interface Session {
  readonly id: string;
  readonly generation: number;
  /** Bytes that it put into the store. */
  readonly storedBytes: number;
  /**
   * The last thing before a root: from here on only the root's own name can stop this writer.
   * @throws REPOSITORY_SESSION_FENCED @returns bytes stored
   */
  claimCommit(rootName: string): Promise<number>;
  /** Leaves the session in the store: its root may still arrive, and a prune has to fence it first. */
  abandon(): void;
  /** Safe to call twice. A session that cannot be removed is logged: it only holds back pruning. */
  end(): Promise<void>;
}

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'clock' | 'log' | 'owner' | 'left'>;

/** How long after its last answer a store may still carry out a put. */
const MAY_ARRIVE_MS = 3_600_000;

/** Puts the session before anything of the repository is relied on. */
export async function openSession(context: Context, kind: OpenSession['kind']): Promise<Session> {
  for (;;) {
    const generation = await currentGeneration(context);
    const session = await putSession(context, kind, generation);
    try {
      // A prune that began in between may have looked for sessions before ours was there.
      if ((await currentGeneration(context)) === generation) return session;
    } catch (error) {
      await session.end();
      throw error;
    }
    await session.end();
  }
}

async function putSession(context: Context, kind: OpenSession['kind'], generation: number): Promise<Session> {
  const { storage, keys, clock, log, owner, left } = context;
  const id = newId(clock.now());
  const name = sessionName(id);
  const bytes = sealJson(keys, { kind: 'session', name }, {
    id, kind, generation, createdAt: clock.now().toISOString(), owner,
  });
  let mayComeAgain = false;
  try {
    await storage.put(name, bytes, { onAgain: () => { mayComeAgain = true; } });
  } catch (error) {
    // Its answer may have been lost.
    left.set(id, { kind, lateUntil: clock.monotonicMs() + MAY_ARRIVE_MS });
    throw error;
  }
  const lateUntil = mayComeAgain ? clock.monotonicMs() + MAY_ARRIVE_MS : null;
  let claimed = false;
  let ended = false;
  return {
    id,
    generation,
    storedBytes: bytes.length,
    async claimCommit(rootName) {
      claimed = true;
      return claimCommit(context, id, rootName);
    },
    abandon() {
      ended = true;
      left.set(id, { kind, lateUntil });
      log.warn({ session: id }, 'a session is left open because its root may still arrive; it holds back pruning until it is fenced');
    },
    async end() {
      if (ended) return;
      ended = true;
      try {
        await storage.delete(name);
        // A fence that prune put stays with prune unless we met it; ours goes after the session.
        if (claimed) await storage.delete(sessionEndName(id));
        if (lateUntil !== null && clock.monotonicMs() < lateUntil) left.set(id, { kind, lateUntil });
      } catch (error) {
        left.set(id, { kind, lateUntil });
        log.warn({ session: id, error: describeError(error) }, 'a session could not be removed; it holds back pruning until it is fenced');
      }
    },
  };
}

async function claimCommit({ storage, keys }: Pick<Context, 'storage' | 'keys'>, id: string, rootName: string): Promise<number> {
  const name = sessionEndName(id);
  const claim = sealJson(keys, { kind: 'sessionEnd', name }, { id, outcome: 'commit', root: rootName });
  try {
    await storage.put(name, claim);
  } catch (cause) {
    if (isLeafvaultError(cause, 'STORAGE_OBJECT_EXISTS')) throw await fenced({ storage, keys }, id);
    throw cause;
  }
  if ((await storage.stat(sessionName(id))) === null) throw fencedError(id);
  return claim.length;
}

async function fenced({ storage, keys }: Pick<Context, 'storage' | 'keys'>, id: string): Promise<LeafvaultError> {
  const name = sessionEndName(id);
  const bytes = await readObjectIfAny(storage, name);
  if (bytes !== null) openJson(keys, { kind: 'sessionEnd', name }, bytes); // A forged fence is named as what it is.
  return fencedError(id);
}

/** REPOSITORY_SESSION_FENCED for a session. */
export function fencedError(sessionId: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_SESSION_FENCED', `Committing the snapshot failed: a prune ended the session ${sessionId} while it was at work`, {
    hint: 'Run the snapshot again; what it stored is used again where it was not pruned',
    details: { session: sessionId },
    retryable: true,
    cause,
  });
}
