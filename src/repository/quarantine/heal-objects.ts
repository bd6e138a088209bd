// What a check named is mended from a copy, one object after the other, while no prune runs.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { RetryOptions, Storage } from '../../storage/index.ts';
import { readIndexObject } from '../chunk-index/load-indexes.ts';
import type { RepositoryContext } from '../context.ts';
import { withExclusive } from '../exclusive.ts';
import { GENERATIONS, INDEXES, packName, REPOSITORY_FILE, SESSIONS } from '../format/names.ts';
import { parseRepositoryFile } from '../format/repository-file.ts';
import { prepareStorage } from '../prepare-storage.ts';
import { readObjectIfAny } from '../read-object.ts';
import type { PruneOptions } from '../repository.ts';
import { healObject, type Healed } from './quarantine.ts';

export interface HealOptions extends Pick<PruneOptions, 'isOver' | 'signal'> {
  /** Store of a copy of this repository. */
  readonly from: Storage;
  /** As `CheckProblem.object` names them: a chunk is mended by its pack. */
  readonly objects: readonly string[];
}

export interface HealReport {
  readonly healed: readonly Healed[];
  /** Those that stay as they are, and why. */
  readonly failed: readonly { readonly object: string; readonly message: string }[];
}

/** @throws REPOSITORY_COPY_REFUSED where `from` holds another repository; REPOSITORY_BUSY */
export async function healObjects(context: RepositoryContext, { from, objects, isOver, signal }: HealOptions, retry?: RetryOptions): Promise<HealReport> {
  const copy = prepareStorage(from, retry);
  const descriptor = await readObjectIfAny(copy, REPOSITORY_FILE);
  if (descriptor === null || parseRepositoryFile(descriptor).id !== context.id) {
    throw new LeafvaultError('REPOSITORY_COPY_REFUSED', `Mending from ${from.address} was refused: it holds no copy of this repository`, { hint: 'Name the store that `leafvault copy` copied this repository to' });
  }
  const healed: Healed[] = [];
  const failed: { object: string; message: string }[] = [];
  await withExclusive(context, isOver, async ({ assertStands }) => {
    const named = objects.map((object) => object.split(' ')[0] ?? '');
    for (const name of new Set([...named, ...(named.includes(INDEXES) ? await lostIndexes(context, copy) : [])])) {
      throwIfAborted(signal);
      if (!/[^/]\/[^/]+$/.test(name) || [SESSIONS, GENERATIONS].some((prefix) => name.startsWith(prefix))) continue;
      await assertStands();
      try {
        const one = await healObject(context, name, copy);
        if (one !== null) healed.push(one);
        context.log.warn({ object: name, quarantined: one?.quarantined ?? null, from: from.address }, 'an object was fetched again from a copy');
      } catch (error) {
        if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
        failed.push({ object: name, message: error.message });
      }
    }
  });
  return { healed, failed };
}

/** Indexes of the copy that this store has not, and all of whose packs it has: what they say is true here, too. */
async function lostIndexes({ storage, keys }: RepositoryContext, copy: Storage): Promise<string[]> {
  const lost: string[] = [];
  for await (const { name } of copy.list(INDEXES)) {
    if ((await storage.stat(name)) !== null) continue;
    const { packs } = await readIndexObject({ storage: copy, keys }, name);
    const there = await Promise.all(packs.map(({ id }) => storage.stat(packName(id))));
    if (there.every((pack) => pack !== null)) lost.push(name);
  }
  return lost;
}
