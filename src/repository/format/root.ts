// `snapshots/<id>[.<place>]`: the commit record of a snapshot, or the fence in its place (format document, section 11).
import type { ChunkList, SnapshotRoot, WriteStats } from '../repository.ts';
import { isCount, isRecord } from './chain-fields.ts';
import { damaged } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { snapshotName } from './names.ts';
import { openJson, sealJson } from './sealed-json.ts';

export type NewRoot = Omit<SnapshotRoot, 'formatVersion'>;

/** @param place see `snapshotName` */
export function sealRoot(keys: RepositoryKeys, { id, createdAt, series, body, entries, stats }: NewRoot, place = 1): Buffer {
  return sealJson(keys, { kind: 'snapshot', name: snapshotName(id, place) }, { id, createdAt, series, body, entries, stats });
}

/** null for a fence. @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function openRoot(keys: RepositoryKeys, id: string, bytes: Buffer, place = 1): SnapshotRoot | null {
  const name = snapshotName(id, place);
  const root = openJson(keys, { kind: 'snapshot', name }, bytes);
  if (root['id'] !== id) throw damaged(name, 'it belongs under another name');
  if (typeof root['fenced'] === 'string') return null;
  if (!isRoot(root)) throw damaged(name, 'it lacks a field');
  return root;
}

/** True for a list as format document, section 9 has it. */
export function isChunkList(value: unknown): value is ChunkList {
  if (typeof value !== 'object' || value === null) return false;
  const { root, height, chunks, records, rawBytes } = value as Partial<Record<keyof ChunkList, unknown>>;
  return [height, chunks, records, rawBytes].every(isCount) && (root === null || (typeof root === 'string' && /^[0-9a-f]{64}$/.test(root)));
}

function isRoot(root: Readonly<Record<string, unknown>>): root is Readonly<Record<string, unknown>> & SnapshotRoot {
  const { createdAt, series, body, entries, stats } = root as Partial<SnapshotRoot>;
  return typeof createdAt === 'string' && typeof series === 'string' && isRecord(body) && isChunkList(entries) && isStats(stats);
}

const STATS: readonly (keyof WriteStats)[] = ['chunks', 'rawBytes', 'newChunks', 'newRawBytes', 'storedBytes'];

function isStats(value: unknown): value is WriteStats {
  return isRecord(value) && STATS.every((name) => isCount(value[name]));
}
