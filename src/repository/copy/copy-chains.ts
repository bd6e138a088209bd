// Chains: head, where it begins, numbers in order, the end last, so that a chain of the copy is never more than too short.
import { isId } from '../../foundation/ids.ts';
import type { ObjectInfo, Storage } from '../../storage/index.ts';
import { readEnd } from '../chains/read-chain-objects.ts';
import { chainHeadName, chainPrefix, OPLOG, partsOfChainName, sliceName, type ChainNameParts } from '../format/names.ts';
import { carry, drop, sizesIn, tellDamage, type Carried, type Transfer } from './transfer.ts';

const ROUNDS = 5;

type Named = ObjectInfo & { readonly parts: ChainNameParts };

export async function copyChains(transfer: Transfer): Promise<void> {
  for (const chainId of await chainIds(transfer.source.storage)) {
    // A front that is pruned meanwhile: its names are listed again.
    let isThrough = false;
    for (let round = 1; round <= ROUNDS && !isThrough; round += 1) isThrough = await copyChain(transfer, chainId);
    if (!isThrough) await tellLost(transfer, chainId);
  }
}

/** A number that is missing each time was lost: numbers come in order, and go from the front. */
async function tellLost(transfer: Transfer, chainId: string): Promise<void> {
  const { storage } = transfer.source;
  const source = await named(storage, chainId);
  const first = firstOf(source);
  const there = new Set(source.map(({ parts }) => numberOf(parts)));
  const last = Math.max(first - 1, ...there);
  const end = await readEnd(transfer.source, chainId).catch(() => null);
  let missing = first;
  while (there.has(missing)) missing += 1;
  const name = sliceName(chainId, missing);
  if (missing > Math.max(last, end === null ? 0 : end.lastSequence + 1) || (await storage.stat(name)) !== null) return;
  tellDamage(transfer, name, `The slice ${name} is gone from the source, though the chain goes on behind it; the copy has what is before it`);
}

/** Fronts that the source has pruned. Nothing else of a chain ever goes: what the source has not any more was lost there. */
export async function sweepChains(transfer: Transfer): Promise<void> {
  for (const chainId of await chainIds(transfer.to)) {
    const there = await named(transfer.to, chainId);
    const kept = new Set((await named(transfer.source.storage, chainId)).map(({ name }) => name));
    const goes = there.filter(({ name }) => !kept.has(name));
    const first = Math.max(1, ...there.map(({ parts }) => (parts.part === 'from' ? parts.first : 1)));
    const inFront = goes.filter(({ parts }) => typeof parts.part === 'number' && parts.part < first).sort((a, b) => numberOf(a.parts) - numberOf(b.parts));
    const starts = goes.filter(({ parts }) => parts.part === 'from' && parts.first < first);
    for (const { name } of [...inFront, ...starts]) await drop(transfer, name);
  }
}

/** False where it has to be looked at again. */
async function copyChain(transfer: Transfer, chainId: string): Promise<boolean> {
  const source = await named(transfer.source.storage, chainId);
  const there = await sizesIn(transfer.to, chainPrefix(chainId));
  const first = firstOf(source);
  const put = async (objects: readonly Named[]): Promise<Carried> => {
    for (const object of objects) {
      const carried = await carry(transfer, object, there.get(object.name));
      if (carried !== 'there') return carried;
    }
    return 'there';
  };
  const numbered = source.filter(({ parts }) => numberOf(parts) >= first).sort((a, b) => numberOf(a.parts) - numberOf(b.parts));
  // A listing that is written into may pass a number by: what is behind it comes with the next run.
  const gap = numbered.findIndex(({ parts }, i) => numberOf(parts) !== first + i);
  const heads = source.filter(({ parts }) => parts.part === 'head' || (parts.part === 'from' && parts.first === first));
  if (!heads.some(({ parts }) => parts.part === 'head')) {
    // It comes first, and stays when all the rest has gone.
    const head = chainHeadName(chainId);
    if ((await transfer.source.storage.stat(head)) === null) tellDamage(transfer, head, `The head ${head} is gone from the source; nothing of its chain can be copied`);
    return true;
  }
  const carried = await put([...heads, ...(gap === -1 ? numbered : numbered.slice(0, gap))]);
  if (carried !== 'there') return carried === 'damaged';
  if (gap !== -1) return false;
  // The listing may have met `end` and passed the close by.
  const end = await readEnd(transfer.source, chainId).catch(() => null);
  if (end !== null && end.lastSequence + 1 !== numberOf(numbered.at(-1)?.parts ?? { chainId, part: 'head' })) return false;
  return (await put(source.filter(({ parts }) => parts.part === 'end'))) !== 'gone';
}

async function named(storage: Storage, chainId: string): Promise<Named[]> {
  // Also where a store names something twice.
  const found = new Map<string, Named>();
  for await (const object of storage.list(chainPrefix(chainId))) {
    const parts = partsOfChainName(object.name);
    if (parts !== null) found.set(object.name, { ...object, parts });
  }
  // `head` before `from-…`.
  return [...found.values()].sort((a, b) => (a.parts.part === 'head' ? -1 : b.parts.part === 'head' ? 1 : 0));
}

async function chainIds(storage: Storage): Promise<readonly string[]> {
  const ids = new Set<string>();
  for await (const { name } of storage.list(OPLOG)) {
    const id = name.slice(OPLOG.length).split('/')[0] ?? '';
    if (isId(id)) ids.add(id);
  }
  return [...ids];
}

/** Where it begins: of several starts the largest counts. */
function firstOf(names: readonly Named[]): number {
  return Math.max(1, ...names.map(({ parts }) => (parts.part === 'from' ? parts.first : 1)));
}

/** 0 for what has none. */
function numberOf({ part }: ChainNameParts): number {
  return typeof part === 'number' ? part : 0;
}
