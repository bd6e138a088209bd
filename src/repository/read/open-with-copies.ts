// A repository that is read from a copy where its first store can't give something, or is gone (docs/design/second-copy.md).
import { describeError, isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { Storage } from '../../storage/index.ts';
import { COPY_FILE, REPOSITORY_FILE } from '../format/names.ts';
import { openRepository, type OpenOptions } from '../open-repository.ts';
import type { HealOptions, HealReport, Repository } from '../repository.ts';
import { createCopyReader, type CopyReader } from './copy-reader.ts';

export interface CopiesOptions extends OpenOptions {
  /** Stores of copies, the first one to be asked first. They stay the caller's to close. */
  readonly copies: readonly Storage[];
}

/**
 * As `openRepository`; but a first store that is gone or fails only keeps writers out, as long as one of the copies opens.
 * @throws what opening the first store fails with, where no copy opens either
 */
export async function openWithCopies(options: CopiesOptions): Promise<Repository> {
  if (options.copies.length === 0) return openRepository(options);
  const copies = createCopyReader(options, options.copies);
  try {
    return await compose(options, copies);
  } catch (error) {
    await copies.close();
    throw error;
  }
}

async function compose(options: CopiesOptions, copies: CopyReader): Promise<Repository> {
  const { storage, log } = options;
  const openFirst = (): Promise<Repository> => openRepository({ ...options, fromCopy: copies.chunk });
  let first: Repository | null = null;
  let failure: unknown = null;
  try {
    first = await openFirst();
  } catch (error) {
    if (!isDown(error)) throw error;
    failure = error;
    await copies.repository().catch(() => { throw error; });
    log?.error({ store: storage.address, error: describeError(error) }, 'the first store of the repository can not be opened; snapshots are read from the copy, and none can be taken');
  }
  const some = first ?? (await copies.repository());

  /** What was wiped under a process that has it open answers as if it were empty, and takes what is put. */
  const isThere = async (): Promise<boolean> => (await storage.stat(REPOSITORY_FILE)) !== null;
  const gone = (): LeafvaultError => new LeafvaultError('REPOSITORY_MISSING', `Using the repository in ${storage.address} failed: its ${REPOSITORY_FILE} is gone`);
  /** The first store; opened again where it could not be before. @throws REPOSITORY_READ_ONLY */
  const writable = async (): Promise<Repository> => {
    try {
      first ??= await openFirst();
      if (await isThere()) return first;
      failure = gone();
    } catch (error) {
      if (first !== null) throw error;
      failure = error;
    }
    throw new LeafvaultError('REPOSITORY_READ_ONLY', `Writing to the repository in ${storage.address} failed: that store can not be opened, and copies are only read`, {
      cause: failure, retryable: true,
      hint: 'Bring the store back; when it is lost, stop Leafvault, run `leafvault copy --promote --repository-store <copy>`, and set repository.store to the copy',
    });
  };
  const readable = async (): Promise<Repository> => {
    if (first === null) return copies.repository();
    if (!(await isThere())) throw gone();
    return first;
  };
  const read = async <T>(use: (repository: Repository) => Promise<T>): Promise<T> => {
    try {
      return await use(await readable());
    } catch (error) {
      if (!isDown(error) || first === null) throw error;
      log?.error({ store: storage.address, error: describeError(error) }, 'the first store of the repository can not be asked; it is read from the copy');
      return use(await copies.repository().catch(() => { throw error; }));
    }
  };
  /** Begins anew in the copy only as long as nothing was handed out. */
  async function* readEach<T>(use: (repository: Repository) => AsyncIterable<T>): AsyncGenerator<T> {
    const opened = await read(async (repository) => {
      const items = use(repository)[Symbol.asyncIterator]();
      return { items, next: await items.next() };
    });
    try {
      for (let { next } = opened; next.done !== true; next = await opened.items.next()) yield next.value;
    } finally {
      await opened.items.return?.();
    }
  }

  return {
    id: some.id, hashSeed: some.hashSeed, isCopy: some.isCopy && first !== null,
    openWriter: async (writerOptions) => (await writable()).openWriter(writerOptions),
    openReader: () => read((repository) => repository.openReader()),
    endLeftSessions: async () => first?.endLeftSessions(),
    listSnapshots: (listOptions) => readEach((repository) => repository.listSnapshots(listOptions)),
    loadSnapshot: (id) => read((repository) => repository.loadSnapshot(id)),
    addFact: async (fact) => (await writable()).addFact(fact),
    listFacts: (snapshotId) => readEach((repository) => repository.listFacts(snapshotId)),
    chains: {
      begin: async (head) => (await writable()).chains.begin(head),
      resume: async (chainId) => (await writable()).chains.resume(chainId),
      trim: async (chainId, trimOptions) => (await writable()).chains.trim(chainId, trimOptions),
      list: (series) => readEach((repository) => repository.chains.list(series)),
      slices: (chainId, range) => readEach((repository) => repository.chains.slices(chainId, range)),
      read: (chainId, range) => readEach((repository) => repository.chains.read(chainId, range)),
    },
    dumps: {
      write: async (parts, body, dumpOptions) => (await writable()).dumps.write(parts, body, dumpOptions),
      trim: async (keeps, trimOptions) => (await writable()).dumps.trim(keeps, trimOptions),
      list: (listOptions) => read((repository) => repository.dumps.list(listOptions)),
      read: (dumpId, readOptions) => readEach((repository) => repository.dumps.read(dumpId, readOptions)),
    },
    prune: async (pruneOptions) => (await writable()).prune(pruneOptions),
    extendLocks: async (lockOptions) => (await writable()).extendLocks(lockOptions),
    check: async (checkOptions) => (await writable()).check(checkOptions),
    copyTo: async (copyOptions) => (await writable()).copyTo(copyOptions),
    promote: async (promoteOptions) => (await writable()).promote(promoteOptions),
    heal: async (healOptions) => (await writable()).heal(healOptions),
    healFromCopies: async (healOptions) => {
      const report = await healFromEach(await writable(), options, healOptions);
      copies.forgetMissed(healOptions.objects);
      return report;
    },
    readFromCopies: () => copies.missed(),
    async close() {
      await first?.close();
      await copies.close();
    },
  };
}

/** Where the store, and not only something in it, is gone or fails. */
function isDown(error: unknown): boolean {
  if (!isLeafvaultError(error)) return false;
  const object = String(error.details['object'] ?? '');
  const isDescriptor = error.code === 'REPOSITORY_OBJECT_DAMAGED' && (object === REPOSITORY_FILE || object === COPY_FILE || object.startsWith('keys/'));
  return error.code.startsWith('STORAGE_') || error.code === 'REPOSITORY_MISSING' || error.code === 'REPOSITORY_OBJECT_MISSING' || isDescriptor;
}

/** What one copy has not, or has damaged, another may have. A copy that can't be asked is passed over. */
async function healFromEach(first: Repository, { copies, log }: CopiesOptions, options: Omit<HealOptions, 'from'>): Promise<HealReport> {
  const healed: HealReport['healed'][number][] = [];
  let failed: HealReport['failed'] = options.objects.map((object) => ({ object, message: 'No copy of the repository could be asked' }));
  for (const from of copies) {
    try {
      const report = await first.heal({ ...options, from, objects: failed.map(({ object }) => object) });
      healed.push(...report.healed);
      failed = report.failed;
    } catch (error) {
      if (!isLeafvaultError(error, 'REPOSITORY_COPY_REFUSED') && !isLeafvaultError(error, 'REPOSITORY_COPY_UNREADABLE')) throw error;
      log?.error({ copy: from.address, error: describeError(error) }, 'nothing can be mended from this copy');
    }
    if (failed.length === 0) break;
  }
  return { healed, failed };
}
