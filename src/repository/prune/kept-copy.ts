// Which copy of a live chunk is kept. Marking, weighing and moving ask the same question and have to get the same answer: what one takes
// for kept the others must not let go. So it depends on nothing that changes during a prune.
import { beginningOf } from '../chunk-index/base-records.ts';
import type { ChunkIndex, ChunkLocation } from '../chunk-index/chunk-index.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_ID_BYTES, CHUNK_TYPES, isDelta } from '../format/chunk-entry.ts';

/** Whether a check found this copy bad. */
export type IsBad = (packNumber: number, chunkId: Buffer) => boolean;

export interface CopyRules {
  readonly index: Pick<ChunkIndex, 'find' | 'packs'>;
  /** Packs that are there. */
  readonly isThere: (packNumber: number) => boolean;
  /** Copies that don't count where there is another; undefined: none is known. */
  readonly isBad: IsBad | undefined;
}

/** Entries of all copies of one chunk, `from` to `to`. */
export interface Copies { readonly entries: Buffer; readonly from: number; readonly to: number }

/**
 * Where the kept copy stands; null: none is there. A sound copy comes before a bad one, then a full one before a delta, since the chunk may be
 * the base of another; of deltas one whose base can be read, and else a bad full one. Among equals one in a pack that `prefers` takes, else the first.
 * A promise only where copies of several forms are left without a sound full one: two writers at once, or damage, leave such.
 */
export function keptCopy(rules: CopyRules, copies: Copies, prefers: (packNumber: number) => boolean): number | null | Promise<number | null> {
  const { entries, from, to } = copies;
  let best = NOT_THERE;
  for (let at = from; at < to; at += CHUNK_ENTRY_BYTES) best = Math.max(best, rankOf(rules, entries, at));
  if (best === NOT_THERE) return null;
  if (best === SOUND_FULL || isAlike(rules, copies)) return pick(copies, (at) => rankOf(rules, entries, at) === best, prefers);
  return keptDelta(rules, copies, best, prefers);
}

/** Whether all copies that are there are of one rank, on one base. */
function isAlike(rules: CopyRules, { entries, from, to }: Copies): boolean {
  let [rank, base] = [NOT_THERE, 0];
  for (let at = from; at < to; at += CHUNK_ENTRY_BYTES) {
    const own = rankOf(rules, entries, at);
    if (own === NOT_THERE) continue;
    if (rank !== NOT_THERE && (own !== rank || (own % 2 === 1 && baseAt(entries, at) !== base))) return false;
    [rank, base] = [own, baseAt(entries, at)];
  }
  return true;
}

/** The best copies are bad, or deltas: those deltas whose base can be read, best from a full copy; else a bad full copy, else deltas whose base is there at all. */
async function keptDelta(rules: CopyRules, copies: Copies, best: number, prefers: (packNumber: number) => boolean): Promise<number | null> {
  const { entries, from, to } = copies;
  const ofRank = (rank: number): number[] => {
    const places: number[] = [];
    for (let at = from; at < to; at += CHUNK_ENTRY_BYTES) if (rankOf(rules, entries, at) === rank) places.push(at);
    return places;
  };
  const onBase = (rank: number, base: number): number | null => pick(copies, (at) => rankOf(rules, entries, at) === rank && baseAt(entries, at) === base, prefers);
  const deltas = best % 2 === 1 ? best : BAD_DELTA;
  const bases = [...new Set(ofRank(deltas).map((at) => baseAt(entries, at)))].sort((a, b) => a - b);
  const id = Buffer.from(entries.subarray(from, from + CHUNK_ID_BYTES));
  const grades = new Map<number, BaseGrade>();
  for (const base of bases) grades.set(base, await gradeOf(rules, id, base));
  const first = (grade: BaseGrade): number | undefined => bases.find((base) => grades.get(base) === grade);
  const readable = deltas === SOUND_DELTA ? (first('full') ?? first('delta')) : undefined;
  if (readable !== undefined) return onBase(deltas, readable);
  const full = pick(copies, (at) => rankOf(rules, entries, at) === BAD_FULL, prefers);
  if (full !== null) return full;
  return onBase(deltas, first('bad') ?? bases[0] ?? 0);
}

/** Calls `use` with the copy, at once where that can be. */
export function withKept(kept: number | null | Promise<number | null>, use: (at: number | null) => Promise<void> | void): Promise<void> | void {
  return kept instanceof Promise ? kept.then(use) : use(kept);
}

/** The ids of the base of the copy that stands there, from the records of its chunk: one, but for two that begin alike. */
export function basesOfCopy(entries: Buffer, at: number, records: readonly Buffer[]): Buffer[] {
  if (entries[at + 32] !== CHUNK_TYPES.delta) return [];
  return records.filter((record) => beginningOf(record, 0) === baseAt(entries, at)).map((record) => record.subarray(CHUNK_ID_BYTES));
}

// Ranks: an odd one is a delta, those above 2 are sound.
const NOT_THERE = 0;
const BAD_DELTA = 1;
const BAD_FULL = 2;
const SOUND_DELTA = 3;
const SOUND_FULL = 4;

function rankOf({ isThere, isBad }: CopyRules, entries: Buffer, at: number): number {
  const packNumber = entries.readUInt32LE(at + 56);
  if (!isThere(packNumber)) return NOT_THERE;
  const form = entries[at + 32] === CHUNK_TYPES.delta ? BAD_DELTA : BAD_FULL;
  return isBad !== undefined && isBad(packNumber, entries.subarray(at, at + CHUNK_ID_BYTES)) ? form : form + 2;
}

function baseAt(entries: Buffer, at: number): number {
  return entries.readUInt32LE(at + 52);
}

function pick({ entries, from, to }: Copies, isOne: (at: number) => boolean, prefers: (packNumber: number) => boolean): number | null {
  let first: number | null = null;
  for (let at = from; at < to; at += CHUNK_ENTRY_BYTES) {
    if (!isOne(at)) continue;
    if (prefers(entries.readUInt32LE(at + 56))) return at;
    first ??= at;
  }
  return first;
}

/** How the base of this beginning can be read, from sound copies: a full one, or a delta on a full one, as far as a reader goes. `bad`: it may come back. */
type BaseGrade = 'full' | 'delta' | 'bad' | 'nowhere';

async function gradeOf({ index, isThere, isBad }: CopyRules, id: Buffer, base: number): Promise<BaseGrade> {
  const find = async (wanted: Buffer | null | undefined): Promise<readonly ChunkLocation[]> =>
    wanted === null || wanted === undefined ? [] : (await index.find(wanted)).filter(({ packNumber }) => isThere(packNumber));
  const isSound = (copy: ChunkLocation): boolean => isBad?.(copy.packNumber, copy.id) !== true;
  const isSoundFull = (copy: ChunkLocation): boolean => !isDelta(copy) && isSound(copy);
  const copies = await find((await index.find(id)).find((copy) => isDelta(copy) && copy.base === base)?.baseId);
  if (copies.some(isSoundFull)) return 'full';
  for (const copy of copies) if (isDelta(copy) && isSound(copy) && (await find(copy.baseId)).some(isSoundFull)) return 'delta';
  return copies.length > 0 ? 'bad' : 'nowhere';
}
