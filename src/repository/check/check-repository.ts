// Is every snapshot whole, and every chain? Structure always, every byte on demand; nothing is changed but for a reader's session.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { OnProgress } from '../../foundation/progress.ts';
import { readIndexObject } from '../chunk-index/load-indexes.ts';
import { unnamedPacks } from '../chunk-index/unnamed-packs.ts';
import type { RepositoryContext } from '../context.ts';
import { readBadCopies } from '../bad-copies.ts';
import { deletedSnapshots } from '../facts.ts';
import type { IndexPayload } from '../format/index-object.ts';
import { readCondemned } from '../generations.ts';
import { INDEXES, packName, partsOfDumpName, partsOfSnapshotName, REPOSITORY_FILE, sessionName, SNAPSHOTS } from '../format/names.ts';
import { createChunkLoader } from '../read/load-chunk.ts';
import type { CheckReport, ReadShare } from '../repository.ts';
import { openSession } from '../sessions.ts';
import { createBadChunks } from './bad-chunks.ts';
import { checkChains } from './check-chains.ts';
import { checkDumps } from './check-dumps.ts';
import { checkPacks, type PackCheck } from './check-packs.ts';
import { checkRecords } from './check-records.ts';
import { checkSnapshot } from './check-snapshots.ts';
import { createCleanPages } from './clean-pages.ts';
import { NOTHING_WRITTEN, recallBadCopies, writeDown } from './quarantine-copies.ts';
import { createProblems, type Problems } from './problems.ts';

export interface CheckOptions {
  /** Read and verify every byte of every pack and slice, too, or of a share of them. */
  readonly readData?: boolean | ReadShare;
  /** Names of slices and dumps that an earlier check found damaged: their bytes are read again, whatever the share. */
  readonly again?: readonly string[];
  /** Write down which copies are bad, so that nothing new rests on them and the next snapshot stores them anew. */
  readonly quarantine?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export async function checkRepository(
  context: RepositoryContext, unreadableIndexes: ReadonlyMap<string, LeafvaultError>, options: CheckOptions,
): Promise<CheckReport> {
  const session = await openSession(context, 'reader');
  try {
    const report = await runCheck(context, unreadableIndexes, options);
    await assertThere(context, session.id);
    return report;
  } finally {
    await session.end();
  }
}

/** A folder whose disk was unmounted meanwhile looks empty: what was found there is no damage, and what was not found is not sound. */
async function assertThere({ storage }: RepositoryContext, session: string): Promise<void> {
  if ((await storage.stat(sessionName(session))) !== null || (await storage.stat(REPOSITORY_FILE)) !== null) return;
  throw new LeafvaultError('REPOSITORY_MISSING', `Checking the repository in ${storage.address} failed: nothing of it is there any more`, { hint: 'Look whether its disk is mounted, and its bucket there' });
}

async function runCheck(context: RepositoryContext, unreadableIndexes: ReadonlyMap<string, LeafvaultError>, options: CheckOptions): Promise<CheckReport> {
  const { signal } = options;
  const problems = createProblems();
  const bad = createBadChunks();
  const counted = { packs: 0, chunks: 0, snapshots: 0, bytesRead: 0 };
  const tell = progressTeller(options.onProgress, context, counted, options.readData === true);

  // The roots first: whatever they need was named by an index before they were there.
  const snapshots = await liveSnapshots(context, problems);
  await context.refreshIndex();
  await checkRecords(context, problems);

  const recorded = await readBadCopies(context);
  const loader = createChunkLoader(context, unreadableIndexes);
  const packCheck: PackCheck = {
    context, loader, problems, bad, signal, readsPack: (id) => isInShare(options.readData, Number.parseInt(id.slice(-8), 16)),
    onPack(bytesRead, chunks) {
      counted.packs += 1;
      counted.chunks += chunks;
      counted.bytesRead += bytesRead;
      tell('check packs', counted.packs, null);
    },
  };
  // Packs are few beside chunks: one short string each for the time of the check.
  const namedPacks = new Set<string>();
  // A prune beside us may take these away, after it gave what is needed of them another place.
  const condemned: ReadonlySet<string> = new Set((await readCondemned(context)).packs.keys());
  for await (const index of readableIndexes(context, problems)) {
    await checkPacks(packCheck, index, (id) => !condemned.has(id) && !recorded.packs.has(id));
    for (const { id } of index.packs) namedPacks.add(id);
  }
  await checkUnnamedPacks(packCheck, namedPacks);
  const found = bad.byPack();
  const sound = [...recorded.packs.keys()].filter((id) => namedPacks.has(id) && packCheck.readsPack(id) && !found.has(id));
  recallBadCopies(packCheck, recorded, sound);

  const listCheck = {
    index: context.index, loader, problems, bad, clean: createCleanPages(), signal, namedPacks, condemned,
  };
  for (const [id, place] of snapshots) {
    throwIfAborted(signal);
    counted.snapshots += await checkSnapshot(context, listCheck, { id, place }, (name) => tell('check snapshots', counted.snapshots, name));
  }
  const again = new Set(options.again);
  const dumpsAgain = new Set(options.again?.map((name) => partsOfDumpName(name)?.dumpId));
  let slices = 0;
  await checkChains({
    context, problems, signal, readsSlice: (chainId, sequence) => isInShare(options.readData, runOf(chainId, sequence)), readsAgain: (name) => again.has(name),
    onRead(storedBytes) {
      slices += 1;
      counted.bytesRead += storedBytes;
      tell('check chains', slices, null);
    },
  });
  await checkDumps(context, problems, {
    signal,
    readsDump: (id, isNewest) => isNewest || dumpsAgain.has(id) || isInShare(options.readData, Number.parseInt(id.slice(-8), 16)),
    onRead(storedBytes) {
      counted.bytesRead += storedBytes;
    },
  });
  const quarantined = options.quarantine === true ? await writeDown(context, { found: onlyNamed(found, namedPacks), recorded, readsPack: packCheck.readsPack, sound, condemned }) : NOTHING_WRITTEN;
  return { ...counted, ...quarantined, problems: problems.report() };
}

/** Nothing new rests on a pack that no index names. */
function onlyNamed<T>(found: ReadonlyMap<string, T>, named: ReadonlySet<string>): ReadonlyMap<string, T> {
  return new Map([...found].filter(([packId]) => named.has(packId)));
}

function isInShare(readData: CheckOptions['readData'], number: number): boolean {
  return typeof readData === 'object' ? number % readData.of === readData.part - 1 : readData === true;
}

/** So many slices that follow each other are of one share: each is compared with the one before it, and the first of a run needs that one read besides. */
const RUN = 8;

/** Chains begin in different shares, so that many short ones are spread. */
function runOf(chainId: string, sequence: number): number {
  return Math.floor(sequence / RUN) + Number.parseInt(chainId.slice(-8), 16);
}

/** Each with the last place that its root may have: one behind it came while we are at work. */
async function liveSnapshots(context: RepositoryContext, problems: Problems): Promise<ReadonlyMap<string, number>> {
  const deleted = await deletedOrReported(context, problems);
  const last = new Map<string, number>();
  for await (const { name } of context.storage.list(SNAPSHOTS)) {
    const parts = partsOfSnapshotName(name);
    if (parts === null) problems.find('REPOSITORY_OBJECT_DAMAGED', name, `${name} is no name of a snapshot`);
    else if (!deleted.has(parts.id)) last.set(parts.id, Math.max(parts.place, last.get(parts.id) ?? 0));
  }
  return last;
}

/** A fact that cannot be read deletes nothing: its snapshot is checked like the others. */
async function deletedOrReported(context: RepositoryContext, problems: Problems): Promise<ReadonlySet<string>> {
  return deletedSnapshots(context, undefined, (object, error) => {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    problems.find(error.code, object, error.message);
  });
}

/** Each once; those that a prune puts in the place of others meanwhile, too. */
async function* readableIndexes(context: RepositoryContext, problems: Problems): AsyncGenerator<IndexPayload> {
  const seen = new Set<string>();
  for (let before = -1; before !== seen.size;) {
    before = seen.size;
    const names: string[] = [];
    for await (const { name } of context.storage.list(INDEXES)) if (!seen.has(name)) names.push(name);
    for (const name of names) {
      seen.add(name);
      const index = await readableIndex(context, problems, name);
      if (index !== null) yield index;
    }
  }
}

async function readableIndex(context: RepositoryContext, problems: Problems, name: string): Promise<IndexPayload | null> {
  try {
    return await readIndexObject(context, name);
  } catch (error) {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    if (error.code !== 'REPOSITORY_OBJECT_MISSING') problems.find(error.code, name, error.message);
    return null;
  }
}

/** Takes them into the local index, so that chunks with no other index are found, and told of. */
async function checkUnnamedPacks(check: PackCheck, named: ReadonlySet<string>): Promise<void> {
  for await (const pack of unnamedPacks(check.context, named)) {
    throwIfAborted(check.signal);
    if ('error' in pack) {
      const finding = check.problems.find(pack.error.code, packName(pack.packId), pack.error.message, true);
      check.bad.addPack(pack.packId, finding);
    } else {
      await check.context.index.add(pack.index, false);
      await checkPacks(check, pack.index, () => false);
    }
  }
}

type Teller = (phase: 'check packs' | 'check snapshots' | 'check chains', done: number, entry: string | null) => void;

function progressTeller(onProgress: OnProgress | undefined, { index }: RepositoryContext, counted: { readonly bytesRead: number }, readData: boolean): Teller {
  return (phase, done, entry) => {
    const packs = phase === 'check packs';
    onProgress?.({
      phase, documentsDone: done, documentsTotal: packs ? index.packs.count : null, bytesDone: counted.bytesRead,
      bytesTotal: readData ? index.packs.totalBytes : null, namespace: entry,
    });
  };
}
