// Every pack against the index that names it, and on demand every byte of it.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import { releaseMemory } from '../../foundation/release-memory.ts';
import type { RepositoryContext } from '../context.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import { baseIdOf, CHUNK_ENTRY_BYTES, readChunkEntry, type ChunkEntry } from '../format/chunk-entry.ts';
import type { IndexPayload } from '../format/index-object.ts';
import { packName } from '../format/names.ts';
import type { ChunkLoader } from '../read/load-chunk.ts';
import { openRange } from '../read/open-range.ts';
import { readPackDirectory, type PackDirectory } from '../read/pack-directory.ts';
import { basesToCheck, blameBase } from './check-bases.ts';
import type { BadChunks } from './bad-chunks.ts';
import type { Problems } from './problems.ts';

/** A chunk as an index names it. */
type IndexedChunk = ChunkEntry & Pick<ChunkLocation, 'baseId'>;

export interface PackCheck {
  readonly context: RepositoryContext;
  readonly loader: Pick<ChunkLoader, 'loadBases'>;
  readonly problems: Problems;
  readonly bad: BadChunks;
  /** Whether every byte of this pack is read, too. */
  readonly readsPack: (packId: string) => boolean;
  readonly signal: AbortSignal | undefined;
  /** After each pack. */
  readonly onPack: (bytesRead: number, chunks: number) => void;
}

/** @param counts false for packs whose faults count only where a snapshot needs them: no index names them, or they are condemned */
export async function checkPacks(check: PackCheck, index: IndexPayload, counts: (packId: string) => boolean): Promise<void> {
  const byPack = groupByPack(index);
  for (const [number, pack] of index.packs.entries()) {
    throwIfAborted(check.signal);
    const bytesRead = await checkPack(check, pack, byPack[number] ?? [], counts(pack.id));
    check.onPack(bytesRead, pack.chunks);
  }
}

async function checkPack(check: PackCheck, pack: IndexPayload['packs'][number], entries: readonly IndexedChunk[], named: boolean): Promise<number> {
  const name = packName(pack.id);
  const blame = (code: string, message: string): void => check.bad.addPack(pack.id, check.problems.find(code, name, message, !named));
  let bytesRead = 0;
  try {
    const stored = await check.context.storage.stat(name);
    if (stored === null) {
      blame('REPOSITORY_OBJECT_MISSING', `The pack ${name} is gone`);
      return 0;
    }
    if (stored.sizeBytes !== pack.sizeBytes) {
      blame('REPOSITORY_OBJECT_DAMAGED', `The pack ${name} has ${stored.sizeBytes} bytes where ${pack.sizeBytes} are due`);
      if (stored.sizeBytes < pack.sizeBytes) return 0;
    }
    const directory = await readPackDirectory(check.context, pack.id, pack.sizeBytes);
    bytesRead += directory.bytesRead;
    if (!sameEntries(directory, entries)) blame('REPOSITORY_OBJECT_DAMAGED', `The pack ${name} holds other chunks than the index says`);
  } catch (error) {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    blame(error.code, error.message);
  }
  return check.readsPack(pack.id) ? bytesRead + (await checkBytes(check, pack.id, entries, named)) : bytesRead;
}

/** Of a group of chunks that is opened at once, stored and raw. */
const GROUP_BYTES = 4 * 1024 * 1024;

/** Opens each chunk as a reader would. */
async function checkBytes(check: PackCheck, packId: string, entries: readonly IndexedChunk[], named: boolean): Promise<number> {
  let bytesRead = 0;
  for (let from = 0; from < entries.length;) {
    throwIfAborted(check.signal);
    const to = groupEnd(entries, from);
    bytesRead += await checkGroup(check, packId, entries.slice(from, to), named);
    from = to;
  }
  return bytesRead;
}

function groupEnd(entries: readonly ChunkEntry[], from: number): number {
  const start = entries[from]?.offset ?? 0;
  let [to, rawBytes] = [from, 0];
  for (; to < entries.length; to += 1) {
    const entry = entries[to] as ChunkEntry;
    rawBytes += entry.rawLength;
    if (to > from && (rawBytes > GROUP_BYTES || endOf(entry) - start > GROUP_BYTES)) break;
  }
  return to;
}

async function checkGroup(check: PackCheck, packId: string, group: readonly IndexedChunk[], named: boolean): Promise<number> {
  const { context, problems, bad } = check;
  const from = group[0]?.offset ?? 0;
  const length = endOf(group.at(-1) as ChunkEntry) - from;
  const blame = (chunk: ChunkEntry, error: unknown): void => {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    const id = chunk.id.toString('hex');
    bad.addChunk(packId, chunk.id, problems.find(error.code, `${packName(packId)} chunk ${id}`, error.message, !named));
  };
  const chunks = group.map((chunk) => ({ ...chunk, packId, named }));
  const bases = await basesToCheck(check, chunks);
  let opened: readonly (Buffer | LeafvaultError)[];
  try {
    opened = await openRange(context, { packId, offset: from, length, chunks }, bases);
  } catch (error) {
    for (const chunk of group) blame(chunk, error);
    return 0;
  }
  for (const [i, result] of opened.entries()) {
    const chunk = chunks[i] as ChunkLocation;
    // Not the fault of this copy: what its base costs is told where a snapshot needs the delta.
    if (chunk.baseId !== null && isLeafvaultError(bases.get(chunk.baseId.toString('hex')))) await blameBase(check, chunk.baseId);
    else if (!Buffer.isBuffer(result)) blame(chunk, result);
  }
  const sound = opened.find((result) => Buffer.isBuffer(result));
  if (sound !== undefined) releaseMemory(new Uint8Array(sound.buffer));
  return length;
}

/** The entries of each pack, in order of offset. */
function groupByPack({ packs, entries, bases }: IndexPayload): IndexedChunk[][] {
  const groups: IndexedChunk[][] = packs.map(() => []);
  for (let at = 0; at < entries.length; at += CHUNK_ENTRY_BYTES) {
    const entry = readChunkEntry(entries, at);
    groups[entry.packNumber]?.push({ ...entry, baseId: baseIdOf(entry, bases) });
  }
  for (const group of groups) group.sort((a, b) => a.offset - b.offset);
  return groups;
}

function sameEntries({ entries, bases }: PackDirectory, indexed: readonly IndexedChunk[]): boolean {
  return entries.length === indexed.length && entries.every((entry, i) => {
    const other = indexed[i] as IndexedChunk;
    const [base, otherBase] = [baseIdOf(entry, bases), other.baseId];
    if (base === null ? otherBase !== null : otherBase === null || !base.equals(otherBase)) return false;
    return entry.id.equals(other.id) && entry.type === other.type && entry.counter === other.counter && entry.offset === other.offset
      && entry.storedLength === other.storedLength && entry.rawLength === other.rawLength;
  });
}

function endOf(entry: ChunkEntry): number {
  return entry.offset + entry.storedLength;
}
