// Every chain: its head, its end, its numbers without a gap; with data, every slice and what it follows.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import { missingNumbers, noChainNames, noteChainName, type ChainNames } from '../chains/chain-names.ts';
import { firstNumber } from '../chains/first-number.ts';
import { readEnd, readHead, readNumbered, readStart, type ChainContext } from '../chains/read-chain-objects.ts';
import { unpackSliceData } from '../chains/slice-data.ts';
import { assertEndsAt, assertFollows, linkOfHead, linkOfSlice, linkOfStart, type ChainLink } from '../chains/walk-chain.ts';
import type { ChainEndRecord } from '../format/chain-end.ts';
import { chainEndName, chainHeadName, chainStartName, OPLOG, partsOfChainName, sliceName } from '../format/names.ts';
import type { NumberedObject } from '../format/numbered-object.ts';
import type { Problems } from './problems.ts';

export interface ChainsCheck {
  readonly context: ChainContext;
  readonly problems: Problems;
  readonly signal: AbortSignal | undefined;
  /** Whether this slice is opened and decompressed, too; the newest always is: without it nobody can go on with the chain. */
  readonly readsSlice: (chainId: string, sequence: number) => boolean;
  /** Whether an earlier check found this object damaged: it is read whatever `readsSlice` says. */
  readonly readsAgain?: (name: string) => boolean;
  /** Told of each numbered object that was read. */
  onRead(storedBytes: number): void;
}

/** Finds damage by the object's name; goes on behind it. */
export async function checkChains(check: ChainsCheck): Promise<void> {
  const firsts = await firstNumbers(check.context);
  const chains = new Map<string, ChainNames>();
  for await (const { name } of check.context.storage.list(OPLOG)) {
    const parts = partsOfChainName(name);
    if (parts === null) {
      check.problems.find('REPOSITORY_OBJECT_DAMAGED', name, `${name} is no name of an object of a chain`);
      continue;
    }
    const names = chains.get(parts.chainId) ?? noChainNames(firsts.get(parts.chainId) ?? 1);
    chains.set(parts.chainId, names);
    noteChainName(names, parts);
  }
  for (const [chainId, names] of chains) {
    throwIfAborted(check.signal);
    await checkChain(check, chainId, names);
  }
}

/** Of the chains whose front was pruned. */
async function firstNumbers({ storage }: ChainContext): Promise<ReadonlyMap<string, number>> {
  const firsts = new Map<string, number>();
  for await (const { name } of storage.list(OPLOG)) {
    const parts = partsOfChainName(name);
    if (parts?.part === 'from') firsts.set(parts.chainId, Math.max(parts.first, firsts.get(parts.chainId) ?? 1));
  }
  return firsts;
}

async function checkChain(check: ChainsCheck, chainId: string, names: ChainNames): Promise<void> {
  const head = await attempt(check, chainHeadName(chainId), () => readHead(check.context, chainId));
  if (head === null) check.problems.find(...gone(chainHeadName(chainId)));
  const end = names.end ? ((await attempt(check, chainEndName(chainId), () => readEnd(check.context, chainId))) ?? null) : null;
  // The close comes before `end`: where that is, its number must be there, too, and nothing behind it.
  const due = end === null ? names.newest : end.lastSequence + 1;
  if (names.newest > due) {
    const name = sliceName(chainId, names.newest);
    check.problems.find('REPOSITORY_CHAIN_BROKEN', name, `${name} lies behind the end of its chain and does not count`);
  }
  // Numbers behind the end can hide that others are gone, so then, too, each is asked for.
  const isWhole = names.newest === due && names.numbered === due - names.first + 1;
  const lookedUpTo = isWhole ? due : await tellMissing(check, chainId, { first: names.first, last: due });
  const start = names.first === 1 ? null : ((await attempt(check, chainStartName(chainId, names.first), () => readStart(check.context, chainId))) ?? null);
  const link = names.first > 1 ? start && linkOfStart(chainId, start) : head ? linkOfHead(head) : null;
  await checkNumbered(check, chainId, link, { end, due, lookedUpTo, first: start?.first ?? names.first });
}

/** A name that is far from the others, or an end that speaks of one, must not keep the check busy for ever. */
const MOST_MISSING = 1_000;

/** @returns the number up to which each was asked for */
async function tellMissing({ context, problems, signal }: ChainsCheck, chainId: string, range: { readonly first: number; readonly last: number }): Promise<number> {
  let told = 0;
  for await (const sequence of missingNumbers(context.storage, chainId, range)) {
    throwIfAborted(signal);
    problems.find(...gone(sliceName(chainId, sequence)));
    told += 1;
    if (told < MOST_MISSING) continue;
    problems.find('REPOSITORY_CHAIN_BROKEN', `oplog/${chainId}`, `At least ${MOST_MISSING} numbers of the chain ${chainId} are gone; those from ${sequence + 1} to ${range.last} were not looked at`);
    return sequence;
  }
  return range.last;
}

/** What is asked of the numbered objects of a chain. */
interface Numbers { readonly end: ChainEndRecord | null; readonly due: number; readonly first: number; readonly lookedUpTo: number }

/** @param link of the head, or of where the chain begins; null where it cannot be read */
async function checkNumbered(check: ChainsCheck, chainId: string, link: ChainLink | null, { end, due, first, lookedUpTo }: Numbers): Promise<void> {
  let before = link;
  /** The number that `before` is the link to. */
  let linked = first;
  for (let sequence = first; sequence <= due; sequence = sequence === lookedUpTo && sequence < due ? due : sequence + 1) {
    throwIfAborted(check.signal);
    const last = sequence === due;
    const reads = check.readsSlice(chainId, sequence) || isAskedAgain(check, chainId, { sequence, last });
    if (!last && !reads) continue;
    const readsBefore = linked !== sequence && reads && sequence - 1 <= lookedUpTo;
    const behind = linked === sequence ? before : readsBefore ? await linkBefore(check, chainId, sequence) : null;
    linked = sequence + 1;
    const object = await attempt(check, sliceName(chainId, sequence), async () => {
      const read = await readUnlessPruned(check, chainId, sequence);
      if (read !== null) await verify(check, chainId, read, behind);
      return read ?? undefined;
    });
    if (object !== undefined && !last && !('slice' in object)) outOfLine(check, chainId, sequence, 'it closes the chain, and others follow');
    if (object !== undefined && last && end !== null) checkClose(check, chainId, object, end);
    if (last && end !== null && behind !== null) await attempt(check, chainEndName(chainId), () => assertEndsAt(behind, end));
    before = object !== undefined && 'slice' in object ? linkOfSlice(object) : null;
  }
}

function isAskedAgain({ readsAgain = () => false }: ChainsCheck, chainId: string, { sequence, last }: { readonly sequence: number; readonly last: boolean }): boolean {
  return readsAgain(sliceName(chainId, sequence)) || (last && readsAgain(chainEndName(chainId)));
}

/** Of the one before, which is not read otherwise this time: else nobody would ever compare the two. */
async function linkBefore(check: ChainsCheck, chainId: string, sequence: number): Promise<ChainLink | null> {
  const object = await attempt(check, sliceName(chainId, sequence - 1), () => readUnlessPruned(check, chainId, sequence - 1));
  if (object == null || !('slice' in object)) return null;
  check.onRead(object.slice.storedBytes);
  return linkOfSlice(object);
}

/** null for one that was pruned since the names were listed. */
async function readUnlessPruned({ context, signal }: ChainsCheck, chainId: string, sequence: number): Promise<NumberedObject | null> {
  try {
    return await readNumbered(context, chainId, sequence, signal);
  } catch (error) {
    if (sequence < (await firstNumber(context.storage, chainId))) return null;
    throw error;
  }
}

async function verify(check: ChainsCheck, chainId: string, object: NumberedObject, before: ChainLink | null): Promise<void> {
  if ('slice' in object) {
    check.onRead(object.slice.storedBytes);
    await unpackSliceData(sliceName(chainId, object.slice.sequence), object.data, object.slice.rawBytes);
  }
  if (before !== null) assertFollows(before, object);
}

function checkClose(check: ChainsCheck, chainId: string, object: NumberedObject, { end, previous }: ChainEndRecord): void {
  if ('slice' in object) outOfLine(check, chainId, object.slice.sequence, 'it is a slice where the end says that the chain is closed');
  else if (object.previous !== previous || JSON.stringify(object.end) !== JSON.stringify(end)) outOfLine(check, chainId, object.sequence, 'it closes the chain otherwise than the end says');
}

function outOfLine(check: ChainsCheck, chainId: string, sequence: number, reason: string): void {
  const name = sliceName(chainId, sequence);
  check.problems.find('REPOSITORY_CHAIN_BROKEN', name, `Reading ${name} failed: ${reason}`);
}

function gone(name: string): [code: string, object: string, message: string] {
  return ['REPOSITORY_OBJECT_MISSING', name, `${name} is gone: the store has no such object`];
}

/** undefined where it failed; then `name` is named, with the code of the cause where the object itself is damaged. */
async function attempt<T>({ problems }: ChainsCheck, name: string, read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    if (isLeafvaultError(error.cause, 'STORAGE_OBJECT_MISSING')) {
      problems.find(...gone(name));
      return undefined;
    }
    const cause = isLeafvaultError(error.cause, 'REPOSITORY_OBJECT_DAMAGED') ? error.cause : error;
    problems.find(cause.code, name, cause.message);
    return undefined;
  }
}
