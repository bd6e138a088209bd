// A writer: one session, one root at the end. Packs, index, root, each acknowledged before the next.
import { describeError, isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { isId } from '../../foundation/ids.ts';
import { readBadCopies } from '../bad-copies.ts';
import type { RepositoryContext } from '../context.ts';
import { snapshotName } from '../format/names.ts';
import { sealRoot } from '../format/root.ts';
import { FORMAT_VERSION } from '../format/names.ts';
import { readCondemned } from '../generations.ts';
import type { RepositoryWriter, SnapshotRoot, WriteStats } from '../repository.ts';
import { fencedError, openSession, type Session } from '../sessions.ts';
import { findRoot } from '../snapshots.ts';
import { createChunkIntake, type IntakeOptions } from './chunk-intake.ts';
import { createEntryWriter } from './entry-writer.ts';
import { createListWriter } from './list-writer.ts';
import { createPackLine } from './pack-line.ts';

export interface WriterOptions {
  readonly signal?: AbortSignal;
  readonly onIndexStored: (name: string) => void;
  /** Called once, when the writer is over. */
  readonly onEnd: () => void;
  /** For tests: packs of this size. */
  readonly packBytes?: number;
}

/** What nothing new may rest on. */
type Untrusted = Required<Pick<IntakeOptions, 'condemned' | 'bad'>>;

/** @throws the signal's reason when it fires before the session stands */
export async function openWriter(context: RepositoryContext, options: WriterOptions): Promise<RepositoryWriter> {
  const session = await openSession(context, 'writer');
  try {
    const condemned = await condemnedPacks(context);
    const bad = await readBadCopies(context);
    await context.refreshIndex();
    return startWriter(context, session, { condemned, bad }, options);
  } catch (error) {
    await session.end();
    throw error;
  }
}

/** Backups go on where a generation can't be read; what it may condemn is everything. */
async function condemnedPacks(context: RepositoryContext): Promise<Untrusted['condemned']> {
  const { packs, unreadable: [lost] } = await readCondemned(context);
  if (lost === undefined) return new Set(packs.keys());
  context.log.error({ object: lost.details['object'], reason: lost.message, hint: lost.hint }, 'a generation of pruning can not be read; every chunk is stored anew');
  return 'all';
}

function startWriter(context: RepositoryContext, session: Session, untrusted: Untrusted, options: WriterOptions): RepositoryWriter {
  const stopping = new AbortController();
  let storedBytes = session.storedBytes;
  let failure: { readonly error: unknown } | null = null;
  let closing: Promise<void> | null = null;

  const fail = (error: unknown): void => {
    failure ??= { error };
    intake.fail(failure.error);
    stopping.abort(failure.error);
  };
  const firstFailure = (): unknown => failure?.error;
  const onAbort = (): void => fail(options.signal?.reason);
  const line = createPackLine(context, {
    signal: stopping.signal,
    onStored: (bytes) => {
      storedBytes += bytes;
    },
    onFailure: fail,
    onIndexStored: options.onIndexStored,
    targetBytes: options.packBytes,
  });
  const intake = createChunkIntake(context, line, { ...untrusted, signal: stopping.signal });
  if (options.signal?.aborted === true) onAbort();
  options.signal?.addEventListener('abort', onAbort, { once: true });

  /** Runs a step of the writer; its failure is the writer's, and the first one stays. */
  const step = async <T>(run: () => Promise<T>): Promise<T> => {
    if (failure !== null) throw failure.error;
    if (closing !== null) throw new LeafvaultError('REPOSITORY_WRITER_CLOSED', 'Writing to the repository failed: the writer was committed or aborted before');
    try {
      return await run();
    } catch (error) {
      // A refused argument harms nothing that was stored before.
      if (!isLeafvaultError(error, 'REPOSITORY_CHUNK_INVALID') && !isLeafvaultError(error, 'REPOSITORY_ENTRY_INVALID')) fail(error);
      throw firstFailure() ?? error;
    }
  };

  const openList = () => createListWriter((page) => step(() => intake.put(page, 0, { page: true })));
  const entries = createEntryWriter((raw, records) => step(() => intake.put(raw, records, { page: false })), openList());
  const stats = (): WriteStats => ({ ...intake.counts, storedBytes });

  const close = (): Promise<void> => {
    closing ??= (async () => {
      options.signal?.removeEventListener('abort', onAbort);
      await session.end();
      options.onEnd();
    })();
    return closing;
  };

  /** After a cancel, not after a fault of the store: what arrived is named, so that the next try finds it. */
  const keepWhatArrived = async (): Promise<void> => {
    try {
      await line.flushIndex(AbortSignal.timeout(1_000));
    } catch (error) {
      context.log.info({ session: session.id, error: describeError(error) }, 'chunks of a cancelled writer stay unnamed; they will be stored again');
    }
  };

  return {
    sessionId: session.id,
    get stats() {
      return stats();
    },
    putChunk: (raw, records, { base } = {}) => step(() => intake.put(raw, records, { page: false, base })),
    openList,
    takeOver: (ref) => step(() => intake.takeOver(ref)),
    addEntry: (entry) => step(() => entries.add(entry)),
    async commit(root) {
      const committed = await step(async () => {
        assertRootId(root.id);
        const list = await entries.finish();
        await intake.settled();
        await line.finish();
        const { root: taken, place } = await findRoot(context, root.id);
        if (taken !== null) throw exists(root.id);
        storedBytes += await session.claimCommit(snapshotName(root.id, place));
        if (stopping.signal.aborted) throw stopping.signal.reason;
        const whole: SnapshotRoot = { formatVersion: FORMAT_VERSION, ...root, entries: list, stats: stats() };
        storedBytes += await putRoot(context, whole, { session, place });
        return whole;
      });
      await close();
      return committed;
    },
    async suspend() {
      await step(async () => {
        await intake.settled();
        await line.finish();
        if (stopping.signal.aborted) throw stopping.signal.reason;
      });
      await close();
    },
    async abort() {
      if (closing === null) {
        fail(new LeafvaultError('REPOSITORY_WRITER_CLOSED', 'Writing to the repository failed: the writer was aborted before'));
        await intake.settled();
        await line.idle();
        if (options.signal?.aborted === true) await keepWhatArrived();
      }
      await close();
    },
  };
}

/** @returns bytes stored */
async function putRoot(context: RepositoryContext, root: SnapshotRoot, { session, place }: { readonly session: Session; readonly place: number }): Promise<number> {
  const name = snapshotName(root.id, place);
  const bytes = sealRoot(context.keys, root, place);
  try {
    await context.storage.put(name, bytes);
    return bytes.length;
  } catch (cause) {
    if (!isLeafvaultError(cause, 'STORAGE_OBJECT_EXISTS')) {
      // No clear answer after the last try: the root may be there, or come.
      if (!isLeafvaultError(cause) || cause.retryable) session.abandon();
      throw cause;
    }
    // Another one was faster: a writer of the same snapshot, or a prune with its fence.
    throw (await findRoot(context, root.id)).root === null ? fencedError(session.id, cause) : exists(root.id, cause);
  }
}

function exists(id: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_SNAPSHOT_EXISTS', `Committing the snapshot ${id} failed: a snapshot of that id exists already`, {
    cause, details: { snapshotId: id }, hint: 'An earlier try may have committed it before its answer was lost: load it and look',
  });
}

function assertRootId(id: string): void {
  if (isId(id)) return;
  throw new LeafvaultError('REPOSITORY_ENTRY_INVALID', `Committing a snapshot failed: ${JSON.stringify(id)} is not an id of 24 hex digits`);
}
