// What a check named is mended from a copy, one object after the other, while no prune runs.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { RetryOptions, Storage } from '../../storage/index.ts';
import { readIndexObject } from '../chunk-index/load-indexes.ts';
import type { RepositoryContext } from '../context.ts';
import { withExclusive } from '../exclusive.ts';
import { deletedSnapshots } from '../facts.ts';
import { FACTS, GENERATIONS, INDEXES, packName, partsOfFactName, partsOfSnapshotName, quarantineName, REPOSITORY_FILE, SESSIONS, snapshotName } from '../format/names.ts';
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
  /** Those of them that nobody misses now and a worker that died had begun with: each comes again only where it was moved aside. */
  readonly begun?: readonly string[];
}

export interface HealReport {
  readonly healed: readonly Healed[];
  /** Those that stay as they are, and why. */
  readonly failed: readonly { readonly object: string; readonly message: string }[];
}

/** @throws REPOSITORY_COPY_REFUSED where `from` holds another repository; REPOSITORY_COPY_UNREADABLE; REPOSITORY_BUSY */
export async function healObjects(context: RepositoryContext, { from, objects, begun = [], isOver, signal }: HealOptions, retry?: RetryOptions): Promise<HealReport> {
  const copy = sayingWhich(prepareStorage(from, retry));
  const descriptor = await readObjectIfAny(copy, REPOSITORY_FILE);
  if (descriptor === null || parseRepositoryFile(descriptor).id !== context.id) {
    throw new LeafvaultError('REPOSITORY_COPY_REFUSED', `Mending from ${from.address} was refused: it holds no copy of this repository`, { hint: 'Name the store that `leafvault copy` copied this repository to' });
  }
  const healed: Healed[] = [];
  const failed: { object: string; message: string }[] = [];
  await withExclusive(context, isOver, async ({ assertStands }) => {
    const named = objects.map((object) => object.split(' ')[0] ?? '');
    const all = [...new Set([...named, ...(named.includes(INDEXES) ? await lostIndexes(context, copy) : []), ...(await laterPlaces(context, named, copy))])];
    // Behind the packs that they name.
    for (const name of all.sort((a, b) => Number(a.startsWith(INDEXES)) - Number(b.startsWith(INDEXES)))) {
      throwIfAborted(signal);
      if (!/[^/]\/[^/]+$/.test(name) || [SESSIONS, GENERATIONS].some((prefix) => name.startsWith(prefix))) continue;
      await assertStands();
      try {
        if (!(await isMissed(context, name, copy)) || (begun.includes(name) && !(await isMovedAside(context, name)))) continue;
        const one = await healObject(context, name, copy);
        if (one === null) continue;
        healed.push(one);
        context.log.warn({ object: name, quarantined: one.quarantined, from: from.address }, 'an object was fetched again from a copy');
      } catch (error) {
        // What is held for days is damaged as long, and no reason to leave the others.
        if (!isLeafvaultError(error) || !(error.code.startsWith('REPOSITORY_') || ['STORAGE_LOCKED', 'STORAGE_DENIED'].includes(error.code))) throw error;
        failed.push({ object: name, message: error.message });
      }
    }
  });
  return { healed, failed };
}

/**
 * What is gone may have been deleted since it was found damaged, and a copy may keep what was. A root or a fact comes again only where a snapshot is left that it
 * speaks of, an index where all packs that it names are there.
 */
async function isMissed(context: RepositoryContext, name: string, copy: Storage): Promise<boolean> {
  const { storage } = context;
  if ((await storage.stat(name)) !== null) return true;
  if (name.startsWith(INDEXES)) return (await copy.stat(name)) === null || isTrueHere(context, name, copy);
  const snapshotId = partsOfSnapshotName(name)?.id ?? partsOfFactName(name)?.snapshotId ?? null;
  if (snapshotId === null) return true;
  if ((await deletedSnapshots(context, snapshotId, () => undefined)).has(snapshotId)) return false;
  for await (const _ of storage.list(name.startsWith(FACTS) ? snapshotName(snapshotId) : `${FACTS}${snapshotId}/`)) return true;
  return false;
}

/** Whether it lies in quarantine and its place is empty, as a repair leaves it that was struck. One that went otherwise since is not told apart. */
async function isMovedAside({ storage }: RepositoryContext, name: string): Promise<boolean> {
  if ((await storage.stat(name)) !== null) return true;
  for await (const _ of storage.list(quarantineName(name))) return true;
  return false;
}

/** Indexes of the copy that this store has not, and all of whose packs it has: what they say is true here, too. */
async function lostIndexes(context: RepositoryContext, copy: Storage): Promise<string[]> {
  const lost: string[] = [];
  for await (const { name } of copy.list(INDEXES)) if ((await context.storage.stat(name)) === null && (await isTrueHere(context, name, copy))) lost.push(name);
  return lost;
}

/** A root is named by the first place of its snapshot; it lies in a later one where its writer was fenced once. */
async function laterPlaces({ storage }: RepositoryContext, named: readonly string[], copy: Storage): Promise<string[]> {
  const lost: string[] = [];
  for (const name of named) {
    if (partsOfSnapshotName(name)?.place !== 1) continue;
    for await (const other of copy.list(`${name}.`)) if ((await storage.stat(other.name)) === null) lost.push(other.name);
  }
  return lost;
}

async function isTrueHere({ storage, keys }: RepositoryContext, index: string, copy: Storage): Promise<boolean> {
  const { packs } = await readIndexObject({ storage: copy, keys }, index);
  const there = await Promise.all(packs.map(({ id }) => storage.stat(packName(id))));
  return there.every((pack) => pack !== null);
}

/** What fails in the copy's store is no failure of this one. */
function sayingWhich(copy: Storage): Storage {
  const tell = (error: unknown): never => {
    if (!isLeafvaultError(error) || !error.code.startsWith('STORAGE_') || error.code === 'STORAGE_OBJECT_MISSING') throw error;
    throw new LeafvaultError('REPOSITORY_COPY_UNREADABLE', `Mending from ${copy.address} failed: ${error.message}`, { cause: error, details: { name: error.details['name'] ?? null }, retryable: true });
  };
  return { ...copy, get: (...args) => copy.get(...args).catch(tell), stat: (name) => copy.stat(name).catch(tell) };
}
