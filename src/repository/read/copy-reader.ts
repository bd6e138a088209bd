// A copy that is opened when it is first needed: as a repository, and as a source of single chunks.
import { describeError, isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { PACKS } from '../format/names.ts';
import { openRepository, type OpenOptions } from '../open-repository.ts';
import type { Repository, RepositoryReader } from '../repository.ts';

export interface CopyReader {
  /** The first copy that opens. @throws why the first one doesn't */
  repository(): Promise<Repository>;
  /** From a reader that stays open for a minute after its last chunk: its session keeps the copier from taking anything away. */
  chunk(id: Buffer, cause: unknown): Promise<Buffer | null>;
  /** Packs that the first store could not give a chunk of, and a copy could. */
  missed(): readonly string[];
  forgetMissed(names: readonly string[]): void;
  close(): Promise<void>;
}

const IDLE_MS = 60_000;
/** A store of which everything is gone is no case for mending object by object. */
const MOST_MISSED = 1_000;

/** @param options of the first store; its copies are opened with the same key */
export function createCopyReader(options: OpenOptions, copies: readonly OpenOptions['storage'][]): CopyReader {
  const log = options.log;
  let opened: Promise<Repository> | null = null;
  let reader: Promise<RepositoryReader> | null = null;
  let idle: NodeJS.Timeout | null = null;
  const told = new Set<string>();
  const missed = new Set<string>();

  const open = async (): Promise<Repository> => {
    let failure: unknown;
    for (const storage of copies) {
      try {
        return await openRepository({ ...options, storage });
      } catch (error) {
        log?.error({ copy: storage.address, error: describeError(error) }, 'a copy of the repository can not be opened');
        failure ??= error;
      }
    }
    throw failure;
  };
  const repository = (): Promise<Repository> => {
    opened ??= open();
    opened.catch(() => { opened = null; });
    return opened;
  };
  const endReader = async (): Promise<void> => {
    const ending = reader;
    reader = null;
    if (idle !== null) clearTimeout(idle);
    await ending?.then((one) => one.close(), () => undefined);
  };
  const borrow = (): Promise<RepositoryReader> => {
    reader ??= repository().then((one) => one.openReader());
    reader.catch(() => { reader = null; });
    if (idle !== null) clearTimeout(idle);
    idle = setTimeout(() => void endReader(), IDLE_MS).unref();
    return reader;
  };
  /** Once for each pack, or each kind of failure. */
  const tell = (cause: unknown, isThere: boolean): void => {
    const pack = isLeafvaultError(cause) ? String(cause.details['object'] ?? cause.code) : 'unknown';
    if (told.has(pack) || told.size > 10_000) return;
    told.add(pack);
    log?.error({ object: pack, error: describeError(cause) }, isThere ? 'a chunk was read from the copy, since the first store could not give it' : 'a chunk is neither in the first store nor in the copy');
  };

  return {
    repository,
    async chunk(id, cause) {
      const raw = await borrow().then((one) => one.readChunk(id)).catch((error: unknown) => {
        if (!(error instanceof LeafvaultError)) throw error;
        return null;
      });
      tell(cause, raw !== null);
      const pack = raw === null ? null : packOf(cause);
      if (pack !== null && missed.size < MOST_MISSED) missed.add(pack);
      return raw;
    },
    missed: () => [...missed],
    forgetMissed(names) {
      for (const name of names) missed.delete(name);
    },
    async close() {
      await endReader();
      await opened?.then((one) => one.close(), () => undefined);
    },
  };
}

/** The pack that is damaged or gone; null where its store only fails. */
function packOf(cause: unknown): string | null {
  if (!isLeafvaultError(cause) || !cause.code.startsWith('REPOSITORY_')) return null;
  const [name = ''] = String(cause.details['object'] ?? '').split(' ');
  return name.startsWith(PACKS) ? name : null;
}
