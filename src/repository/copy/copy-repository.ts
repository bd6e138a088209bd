// One run of a copier, in the order that keeps the copy whole at every call (docs/design/second-copy.md).
import { join } from 'node:path';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { RetryOptions, Storage } from '../../storage/index.ts';
import { createChunkIndex } from '../chunk-index/chunk-index.ts';
import { createIndexLoader } from '../chunk-index/load-indexes.ts';
import type { RepositoryContext } from '../context.ts';
import { DELETED, deletedSnapshots } from '../facts.ts';
import { withExclusive, type Exclusive } from '../exclusive.ts';
import { makeCopyFile } from '../format/copy-file.ts';
import { openDumpManifest } from '../format/dump-objects.ts';
import { readIndexPayload } from '../format/index-object.ts';
import { CATALOG, COPY_FILE, dumpPartName, FACTS, idOfName, INDEXES, KEYS, packName, PACKS, partsOfDumpName, partsOfFactName, partsOfSnapshotName, REPOSITORY_FILE, sessionName, SNAPSHOTS } from '../format/names.ts';
import { parseRepositoryFile } from '../format/repository-file.ts';
import { openObject } from '../format/sealed-object.ts';
import { eachIndexOf } from './index-packs.ts';
import { endLeftSessions } from '../left-sessions.ts';
import { extendLocks, type LockReport } from '../lock/extend-locks.ts';
import { passOver } from '../prune/forget-snapshots.ts';
import { prepareStorage } from '../prepare-storage.ts';
import { putSame } from '../put-same.ts';
import { createPackKeys } from '../read/pack-keys.ts';
import { readObject } from '../read-object.ts';
import { openSession } from '../sessions.ts';
import { copyChains } from './copy-chains.ts';
import type { Dump } from '../dumps/dumps.ts';
import { openKeeping, type Keeping } from './keep-missed.ts';
import type { CopyOptions, CopyReport } from './copy.ts';
import { examineDestination, refused } from './open-destination.ts';
import { sweepCopy } from './sweep-copy.ts';
import { carry, eachAtOnce, sizesIn, startTransfer, type Transfer } from './transfer.ts';
import { createWithholding } from './withhold.ts';

/** Packs under way: each is whole in memory. */
const PACKS_AT_ONCE = 3;
const ROUNDS = 10;

interface CopyPlace { readonly tempDir: string; readonly retry: RetryOptions | undefined }

/** @throws REPOSITORY_COPY_REFUSED, REPOSITORY_BUSY, and what the stores throw: the next run goes on from there */
export async function copyRepository(source: RepositoryContext, options: CopyOptions, { tempDir, retry }: CopyPlace): Promise<CopyReport> {
  const to = prepareStorage(options.to, retry);
  const session = await openSession(source, 'reader');
  try {
    await assertSource(source);
    const { isCopy } = await examineDestination(to, source.id, session.id);
    if (!isCopy && options.goesOn === true) {
      throw refused(to, 'it is empty, and a copy was there before', 'Look whether its disk is mounted. To begin a copy anew there, run `leafvault copy --to` with this address once');
    }
    const transfer = startTransfer(source, to, options);
    if (options.dryRun === true) return await run(transfer, { isCopy, session: session.id }, null);
    const destination = { ...source, ...openedCopy(source, to) };
    await endLeftSessions(destination);
    return await withExclusive(destination, options.isOver, async (exclusive) => {
      const report = await run(transfer, { isCopy, session: session.id }, exclusive);
      return { ...report, locks: to.objectLock === undefined ? null : await holdCopy(transfer, tempDir) };
    });
  } finally {
    await session.end();
  }
}

/** With what earlier runs of this process could not take away there. */
function openedCopy({ leftInCopies }: RepositoryContext, storage: Storage): Pick<RepositoryContext, 'storage' | 'left'> {
  const opened = { storage, left: leftInCopies.get(storage.address)?.left ?? new Map() };
  leftInCopies.set(storage.address, opened);
  return opened;
}

/** With an index of its own: what went from the source and is kept is found in the copy alone. */
async function holdCopy({ source, to, options: { neededUntil = () => null, signal } }: Transfer, tempDir: string): Promise<LockReport | null> {
  const index = createChunkIndex({ tempDir: join(tempDir, 'copy') });
  const indexes = createIndexLoader({ storage: to, keys: source.keys, log: source.log }, index);
  try {
    return await extendLocks({
      ...source, ...openedCopy(source, to), index, packKeys: createPackKeys(to, source.keys), refreshIndex: () => indexes.refresh(), recoverIndex: () => Promise.resolve(),
    }, { neededUntil, isWritten: false, signal });
  } finally {
    await index.close();
  }
}

/** One that was wiped under a process that has it open may even show snapshots, which were put there since. */
async function assertSource({ storage, id }: RepositoryContext): Promise<void> {
  const descriptor = await readObject(storage, REPOSITORY_FILE);
  if (parseRepositoryFile(descriptor).id !== id) throw refused(storage, 'the source is another repository by now', 'Restart what has it open');
}

/** Whoever took this copier for dead may have pruned what it was about to copy; what a root needs is in the copy only if nobody did. */
async function assertProtected({ storage }: RepositoryContext, session: string): Promise<void> {
  if ((await storage.stat(sessionName(session))) !== null) return;
  throw new LeafvaultError('REPOSITORY_SESSION_FENCED', `Copying the repository in ${storage.address} failed: a prune ended the session ${session} of this copier while it was at work`, {
    hint: 'Run it again; what was copied is there', retryable: true,
  });
}

/** @param exclusive null: a dry run */
async function run(transfer: Transfer, { isCopy, session }: { readonly isCopy: boolean; readonly session: string }, exclusive: Exclusive | null): Promise<CopyReport> {
  const { source, to, options, counted } = transfer;
  const found = await sizesIn(source.storage, SNAPSHOTS);
  const before = await sizesIn(to, SNAPSHOTS);
  const roots = await withoutDeleted(source, found, before);
  if (found.size === 0 && before.size > 0 && options.allowEmptySource !== true) {
    throw refused(to, `it shows ${before.size} snapshots and ${source.storage.address} none`, 'Look whether that is the right store, and whole; if its snapshots were all deleted on purpose, add --allow-empty-source');
  }
  if (!isCopy || (await to.stat(REPOSITORY_FILE)) === null) await copyNewRepository(transfer);
  else await copyAll(transfer, KEYS);
  const { indexes, missing, unreadable } = await copyData(transfer);
  const keeping = await openKeeping(transfer);
  await copyFacts(transfer, keeping);
  await copyChains(transfer);
  await copyDumps(transfer);
  await assertProtected(source, session);
  const withheld = await copyRoots(transfer, exclusive, { roots, before, missing, unreadable });
  // The past says nothing of what went since: it has less, and took nothing away.
  const sweeps = transfer.damaged.length === 0 && withheld.length === 0 && source.storage.isPast !== true;
  const swept = sweeps ? await sweepCopy(transfer, exclusive, { roots, before, indexes, keeping }) : false;
  await keeping.save(swept);
  const after = options.dryRun === true ? roots : await sizesIn(to, SNAPSHOTS);
  return {
    repositoryId: source.id, snapshots: new Set([...after.keys()].map((name) => partsOfSnapshotName(name)?.id)).size,
    ...counted, kept: keeping.kept, stuck: transfer.stuck, locks: null, replaced: transfer.replaced, rotted: transfer.rotted, damaged: transfer.damaged, withheld, postponed: !swept,
  };
}

/** A root that its store does not let go outlives what it rests on: one that the copy has not is not put there any more. */
async function withoutDeleted(source: RepositoryContext, roots: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>> {
  const deleted = await deletedSnapshots(source, undefined, passOver(source));
  return new Map([...roots].filter(([name]) => before.has(name) || !deleted.has(partsOfSnapshotName(name)?.id ?? '')));
}

/** A crash leaves slots, or slots and the mark: no repository, and the next run begins here. */
async function copyNewRepository(transfer: Transfer): Promise<void> {
  const { source, to, options, counted } = transfer;
  await copyAll(transfer, KEYS);
  if (options.dryRun !== true) {
    // One that is there was made by an earlier try, and says the same.
    if ((await to.stat(COPY_FILE)) === null) await to.put(COPY_FILE, makeCopyFile(source.id, source.clock.now().toISOString()));
    await putSame(to, REPOSITORY_FILE, await readObject(source.storage, REPOSITORY_FILE));
  }
  counted.objects += 2;
}

async function copyAll(transfer: Transfer, prefix: string): Promise<void> {
  const there = await sizesIn(transfer.to, prefix);
  for await (const object of transfer.source.storage.list(prefix)) await carry(transfer, object, there.get(object.name));
}

/** A fact that deletes comes when the days of its snapshot are over: until then that is in sight in the copy. It comes last: a pin or a hold outweighs it. */
async function copyFacts(transfer: Transfer, keeping: Keeping): Promise<void> {
  const there = await sizesIn(transfer.to, FACTS);
  const found = await sizesIn(transfer.source.storage, FACTS);
  const deletes = (name: string): boolean => partsOfFactName(name)?.kind === DELETED;
  for (const [name, sizeBytes] of [...found].sort(([a], [b]) => Number(deletes(a)) - Number(deletes(b)))) {
    const waits = !there.has(name) && deletes(name) && !keeping.isDue(name);
    if (!waits) await carry(transfer, { name, sizeBytes }, there.get(name));
  }
}

interface Data {
  /** Names of the index objects of the source that the copy has. */
  readonly indexes: ReadonlySet<string>;
  /** Ids of packs that are named by an index, or are in the source, and not in the copy. */
  readonly missing: ReadonlySet<string>;
  /** Whether an index could not be copied: what it says is not known. */
  readonly unreadable: boolean;
}

/** Packs, then the indexes that name them; anew where a prune changed the indexes meanwhile. */
async function copyData(transfer: Transfer): Promise<Data> {
  const { source, to } = transfer;
  const packs = await sizesIn(to, PACKS);
  const there = await sizesIn(to, INDEXES);
  for (let round = 1; ; round += 1) {
    const before = await sizesIn(source.storage, INDEXES);
    const missing = await copyPacks(transfer, packs);
    const after = await sizesIn(source.storage, INDEXES);
    const isStill = after.size === before.size && [...after.keys()].every((name) => before.has(name));
    if (!isStill && round < ROUNDS) continue;
    if (!isStill) throw refused(to, 'the indexes of the source changed all the time', 'A prune and many writers are at work there; run it again later');
    const copied = await copyIndexes(transfer, { there, indexes: after, packs, missing });
    if (copied !== 'changed') return { indexes: new Set(after.keys()), missing, unreadable: copied === 'damaged' };
    if (round >= ROUNDS) throw refused(to, 'the indexes of the source changed all the time', 'A prune and many writers are at work there; run it again later');
  }
}

/** @returns ids of those that could not be copied @param packs grows by those that were */
async function copyPacks(transfer: Transfer, packs: Map<string, number>): Promise<Set<string>> {
  const missing = new Set<string>();
  await eachAtOnce(transfer.source.storage.list(PACKS), PACKS_AT_ONCE, async (object) => {
    const carried = await carry(transfer, object, packs.get(object.name));
    if (carried === 'there') packs.set(object.name, object.sizeBytes);
    else missing.add(idOfName(object.name) ?? object.name);
  });
  return missing;
}

interface Indexing {
  readonly there: Map<string, number>;
  readonly indexes: ReadonlyMap<string, number>;
  readonly packs: ReadonlyMap<string, number>;
  readonly missing: Set<string>;
}

/**
 * An index that names a pack which is nowhere is held back, and so are roots that need what only it names.
 * @returns `changed` where a prune took one that was listed
 * @param missing grows by packs that no index of the copy names
 */
async function copyIndexes(transfer: Transfer, { there, indexes, packs, missing }: Indexing): Promise<'copied' | 'changed' | 'damaged'> {
  let result: 'copied' | 'damaged' = 'copied';
  const held = new Set<string>();
  for (const [name, sizeBytes] of indexes) {
    const carried = await carry(transfer, { name, sizeBytes }, there.get(name), (bytes) => {
      const named = readIndexPayload(name, openObject(transfer.source.keys, { kind: 'index', name }, bytes)).packs;
      const isWhole = named.every(({ id }) => packs.has(packName(id)));
      if (!isWhole) for (const { id } of named) held.add(id);
      return isWhole;
    });
    if (carried === 'gone') return 'changed';
    if (carried === 'damaged') result = 'damaged';
    if (carried === 'there') there.set(name, sizeBytes);
  }
  if (held.size > 0) {
    await eachIndexOf({ storage: transfer.to, keys: transfer.source.keys }, there.keys(), (_name, named) => { for (const id of named) held.delete(id); });
    for (const id of held) missing.add(id);
  }
  return result;
}

/** Dumps of the catalog: parts in order, the manifest last, and only where every part that it counts is there. */
async function copyDumps(transfer: Transfer): Promise<void> {
  const found = await sizesIn(transfer.source.storage, CATALOG);
  const there = await sizesIn(transfer.to, CATALOG);
  // `manifest` stands behind the digits of the parts.
  for (const name of [...found.keys()].sort()) {
    const parts = partsOfDumpName(name);
    const isWhole = (bytes: Buffer): boolean => {
      const dump = openDumpManifest(transfer.source.keys, parts?.dumpId ?? '', bytes);
      return 'fenced' in dump || haveParts(there, dump);
    };
    const sizeBytes = found.get(name) ?? 0;
    const carried = await carry(transfer, { name, sizeBytes }, there.get(name), parts?.part === 'manifest' ? isWhole : undefined);
    if (carried === 'there') there.set(name, sizeBytes);
  }
}

function haveParts(names: ReadonlyMap<string, number>, { id, parts }: Pick<Dump, 'id' | 'parts'>): boolean {
  for (let part = 1; part <= parts; part += 1) if (!names.has(dumpPartName(id, part))) return false;
  return true;
}

interface Roots extends Pick<Data, 'missing' | 'unreadable'> {
  readonly roots: ReadonlyMap<string, number>;
  readonly before: ReadonlyMap<string, number>;
}

/** @returns names of those that were withheld */
async function copyRoots(transfer: Transfer, exclusive: Exclusive | null, { roots, before, missing, unreadable }: Roots): Promise<string[]> {
  const placeOf = (name: string): number => partsOfSnapshotName(name)?.place ?? 0;
  const isWhole = createWithholding(transfer.source, missing, transfer.options.signal);
  const withheld: string[] = [];
  for (const [name, sizeBytes] of [...roots].sort(([a], [b]) => placeOf(a) - placeOf(b))) {
    if (before.get(name) === sizeBytes) {
      await carry(transfer, { name, sizeBytes }, sizeBytes);
      continue;
    }
    if (missing.size > 0 || unreadable) {
      const bytes = await readObject(transfer.source.storage, name).catch(() => null);
      if (unreadable || bytes === null || !(await isWhole(name, bytes))) {
        withheld.push(name);
        continue;
      }
    }
    await exclusive?.assertStands();
    await carry(transfer, { name, sizeBytes }, before.get(name));
  }
  return withheld;
}
