// Opens a repository: unlock it, then hand out writers and readers that share threads and index.
import { hostname } from 'node:os';
import { systemClock, type Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { createLogger, type Logger } from '../foundation/logger.ts';
import type { RetryOptions, Storage } from '../storage/index.ts';
import { createChains } from './chains/create-chains.ts';
import { checkRepository } from './check/check-repository.ts';
import { createChunkIndex, type ChunkIndexOptions } from './chunk-index/chunk-index.ts';
import { createIndexLoader } from './chunk-index/load-indexes.ts';
import { recoverIndex } from './chunk-index/recover-index.ts';
import { createChunkPool } from './chunks/chunk-pool.ts';
import { copyRepository } from './copy/copy-repository.ts';
import { isCopyError } from './copy/is-copy.ts';
import { promoteCopy } from './copy/promote-copy.ts';
import type { RepositoryContext } from './context.ts';
import { createDumps } from './dumps/create-dumps.ts';
import { addFact, listFacts } from './facts.ts';
import { COPY_FILE } from './format/names.ts';
import { endLeftSessions } from './left-sessions.ts';
import { extendLocks } from './lock/extend-locks.ts';
import { prepareStorage } from './prepare-storage.ts';
import { pruneRepository } from './prune/prune-repository.ts';
import { healObjects } from './quarantine/heal-objects.ts';
import { createPackKeys } from './read/pack-keys.ts';
import type { ChunkFromCopy } from './read/load-chunk.ts';
import { openReader } from './read/open-reader.ts';
import type { Repository } from './repository.ts';
import { listSnapshots, loadSnapshot } from './snapshots.ts';
import { unlock, type Opener } from './unlock.ts';
import { openWriter } from './write/open-writer.ts';

export interface OpenOptions {
  readonly storage: Storage;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  /** For the local copy of the index; made when missing. Holds ids and positions, no data, and is emptied by `close`. */
  readonly tempDir: string;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Written into sessions: what tells a prune, on any machine, whether this process may still be at work. Default: process id and host. */
  readonly owner?: string;
  /** Threads that compress and encrypt. Default: one for each core, 2 to 4; 0: none, the caller's own. */
  readonly threads?: number;
  readonly retry?: RetryOptions;
  /** Memory of the local index; see ChunkIndexOptions. */
  readonly index?: Omit<ChunkIndexOptions, 'tempDir'>;
  /** Asked by readers for chunks that this store can not give. */
  readonly fromCopy?: ChunkFromCopy;
  /** Size at which a pack is closed, in bytes. Default 16 MiB; small in tests. */
  readonly packBytes?: number;
}

/** Also with a passphrase that has a slot. */
export type OpenByAnyKey = Omit<OpenOptions, 'masterKey'> & { readonly masterKey: Opener };

/**
 * Opens what `initRepository` made. The store stays the caller's to close.
 * @throws REPOSITORY_MISSING, REPOSITORY_KEY_WRONG, REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER
 */
export async function openRepository(options: OpenByAnyKey): Promise<Repository> {
  const storage = prepareStorage(options.storage, options.retry);
  const { file, keys } = await unlock(storage, options.masterKey);
  const isCopy = (await storage.stat(COPY_FILE)) !== null;
  const log = options.log ?? createLogger('silent');
  const index = createChunkIndex({ ...options.index, tempDir: options.tempDir });
  const loader = createIndexLoader({ storage, keys, log }, index);
  const pool = createChunkPool(keys.chunkId, options.threads);
  pool.useFilter(index.filter);
  index.onFilter((filter) => pool.useFilter(filter));
  const context: RepositoryContext = {
    id: file.id, storage, keys, index, pool, packKeys: createPackKeys(storage, keys),
    clock: options.clock ?? systemClock, log, owner: options.owner ?? `${process.pid}@${hostname()}`, left: new Map(), leftInCopies: new Map(), refreshIndex: () => loader.refresh(),
    recoverIndex: () => recoverIndex(context),
  };
  const open = new Set<{ end(): Promise<void> }>();
  let closing: Promise<void> | null = null;
  const stopping = new AbortController();
  /** Prunes and checks end before what they work with. */
  const working = new Set<Promise<unknown>>();
  const work = <T>(run: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    assertOpen();
    const done = run(signal === undefined ? stopping.signal : AbortSignal.any([signal, stopping.signal]));
    working.add(done);
    return done.finally(() => working.delete(done));
  };
  const assertOpen = (): void => {
    if (closing !== null) throw closed();
  };
  const assertWritable = (): void => {
    assertOpen();
    if (isCopy) throw isCopyError(storage.address);
  };

  return {
    id: file.id,
    isCopy,
    hashSeed: keys.hashSeed,
    async openWriter(writerOptions) {
      assertWritable();
      await endLeftSessions(context);
      const member = { end: async (): Promise<void> => undefined };
      const writer = await openWriter(context, {
        signal: writerOptions?.signal, onIndexStored: loader.knows, onEnd: () => void open.delete(member), packBytes: options.packBytes,
      });
      member.end = () => writer.abort();
      open.add(member);
      return writer;
    },
    async openReader() {
      assertOpen();
      const member = { end: async (): Promise<void> => undefined };
      const reader = await openReader(context, { unreadableIndexes: loader.unreadable, fromCopy: options.fromCopy, onEnd: () => void open.delete(member) });
      member.end = () => reader.close();
      open.add(member);
      // Of a process that never writes nobody else would; behind the reader, so that a store that is down is waited for once.
      await endLeftSessions(context);
      return reader;
    },
    async endLeftSessions() {
      await endLeftSessions(context);
      for (const copy of context.leftInCopies.values()) await endLeftSessions({ ...context, ...copy });
    },
    listSnapshots: (listOptions) => listSnapshots(context, listOptions?.onUnreadable),
    loadSnapshot: (id) => loadSnapshot(context, id),
    async addFact(fact) {
      assertWritable();
      return addFact(context, fact);
    },
    listFacts: (snapshotId) => listFacts(context, snapshotId),
    chains: createChains(context, assertOpen, assertWritable),
    dumps: createDumps(context, assertOpen, assertWritable),
    async prune(pruneOptions = {}) {
      assertWritable();
      return work((signal) => pruneRepository(context, { ...pruneOptions, signal, tempDir: options.tempDir, packBytes: options.packBytes }), pruneOptions.signal);
    },
    extendLocks: async (lockOptions) => work((signal) => extendLocks(context, { ...lockOptions, signal }), lockOptions.signal),
    async check(checkOptions = {}) {
      if (checkOptions.quarantine === true) assertWritable();
      return work((signal) => checkRepository(context, loader.unreadable, { ...checkOptions, signal }), checkOptions.signal);
    },
    copyTo: async (copyOptions) => work((signal) => copyRepository(context, { ...copyOptions, signal }, { tempDir: options.tempDir, retry: options.retry }), copyOptions.signal),
    async promote(promoteOptions = {}) {
      assertOpen();
      return promoteCopy(context, promoteOptions);
    },
    async heal(healOptions) {
      assertWritable();
      return work((signal) => healObjects(context, { ...healOptions, signal }, options.retry), healOptions.signal);
    },
    healFromCopies: () => Promise.resolve({ healed: [], failed: [] }),
    readFromCopies: () => [],
    close() {
      closing ??= (async () => {
        stopping.abort(closed());
        await Promise.allSettled(working);
        for (const member of [...open]) await member.end();
        await pool.close();
        await index.close();
      })();
      return closing;
    },
  };
}

function closed(): LeafvaultError {
  return new LeafvaultError('REPOSITORY_CLOSED', 'Using the repository failed: it was closed before');
}
