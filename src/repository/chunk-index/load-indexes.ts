// Keeps the local index in step with the index objects in the store.
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { Storage } from '../../storage/index.ts';
import { readIndexPayload, type IndexPayload } from '../format/index-object.ts';
import type { RepositoryKeys } from '../format/keys.ts';
import { INDEXES } from '../format/names.ts';
import { openObject } from '../format/sealed-object.ts';
import { readObject } from '../read-object.ts';
import type { ChunkIndex } from './chunk-index.ts';

export interface IndexLoader {
  /** Safe to call at any time; calls run one after the other. */
  refresh(): Promise<void>;
  /** Tells that this process put the object and added its content itself. */
  knows(name: string): void;
  /** Index objects that could not be read at the last refresh, and why. */
  readonly unreadable: ReadonlyMap<string, LeafvaultError>;
}

export interface IndexSource {
  readonly storage: Storage;
  readonly keys: RepositoryKeys;
  readonly log: Logger;
}

const ROUNDS = 5;

export function createIndexLoader(source: IndexSource, index: ChunkIndex): IndexLoader {
  const loaded = new Set<string>();
  const unreadable = new Map<string, LeafvaultError>();
  let running: Promise<void> = Promise.resolve();

  const loadOne = async (name: string): Promise<void> => {
    try {
      await index.add(await readIndexObject(source, name));
      loaded.add(name);
    } catch (cause) {
      if (!isObjectFault(cause)) throw cause;
      // One lost index must not stop writers (they store its chunks anew) nor readers of other chunks;
      // who misses a chunk is told of it, and `check` names it.
      if (!unreadable.has(name)) source.log.error({ object: name, reason: cause.message }, 'an index object cannot be read');
      unreadable.set(name, cause);
    }
  };

  const refreshNow = async (): Promise<void> => {
    for (let rounds = 1; ; rounds += 1) {
      const present = new Set<string>();
      for await (const { name } of source.storage.list(INDEXES)) present.add(name);
      if ([...loaded].some((name) => !present.has(name))) {
        await index.clear();
        loaded.clear();
      }
      unreadable.clear();
      for (const name of present) if (!loaded.has(name)) await loadOne(name);
      // One that went while it was read: a prune put another in its place before.
      const went = [...unreadable.values()].some((error) => isLeafvaultError(error, 'REPOSITORY_OBJECT_MISSING'));
      if (!went || rounds === ROUNDS) return;
    }
  };

  return {
    refresh() {
      const refreshed = running.then(refreshNow);
      running = refreshed.catch(() => undefined);
      return refreshed;
    },
    knows: (name) => void loaded.add(name),
    unreadable,
  };
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_OBJECT_MISSING, REPOSITORY_FORMAT_NEWER */
export async function readIndexObject({ storage, keys }: Pick<IndexSource, 'storage' | 'keys'>, name: string): Promise<IndexPayload> {
  return readIndexPayload(name, openObject(keys, { kind: 'index', name }, await readObject(storage, name)));
}

function isObjectFault(cause: unknown): cause is LeafvaultError {
  return isLeafvaultError(cause) && ['REPOSITORY_OBJECT_DAMAGED', 'REPOSITORY_OBJECT_MISSING', 'REPOSITORY_FORMAT_NEWER'].includes(cause.code);
}
