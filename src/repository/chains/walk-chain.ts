// A chain from front to back, every object compared with the one before it (format document, section 17).
import { throwIfAborted } from '../../foundation/abort.ts';
import type { ChainEndRecord } from '../format/chain-end.ts';
import { chainEndName, chainHeadName, sliceName } from '../format/names.ts';
import type { NumberedObject, OpenedSlice } from '../format/numbered-object.ts';
import { brokenChain } from './chain-errors.ts';
import type { ChainStart } from '../format/chain-start.ts';
import { listChainNames } from './chain-names.ts';
import { readEnd, readHead, readNumbered, readStart, type ChainContext, type OpenedHead } from './read-chain-objects.ts';

/** What the next object of a chain has to follow: the head, or a slice. */
export interface ChainLink {
  readonly chainId: string;
  /** 0: the head. */
  readonly sequence: number;
  readonly digest: string;
  readonly at: string;
}

export function linkOfHead({ head, digest }: OpenedHead): ChainLink {
  return { chainId: head.id, sequence: 0, digest, at: head.from };
}

export function linkOfSlice({ slice }: OpenedSlice): ChainLink {
  return { chainId: slice.chainId, sequence: slice.sequence, digest: slice.digest, at: slice.to };
}

export function linkOfStart(chainId: string, { first, previous, at }: ChainStart): ChainLink {
  return { chainId, sequence: first - 1, digest: previous, at };
}

/** @throws REPOSITORY_CHAIN_BROKEN where `object` does not follow */
export function assertFollows(before: ChainLink, object: NumberedObject): void {
  const sequence = before.sequence + 1;
  const [previous, from] = 'slice' in object ? [object.slice.previous, object.slice.from] : [object.previous, object.end.at];
  const broken = (reason: string): Error => brokenChain(before.chainId, sequence, sliceName(before.chainId, sequence), reason);
  if (previous !== before.digest) throw broken('it was written behind another object than the one that stands before it');
  if (from !== before.at) throw broken(`it goes on at ${from}, the one before it reaches to ${before.at}`);
}

/** @throws REPOSITORY_CHAIN_BROKEN where `end` does not agree with the last slice, or the head */
export function assertEndsAt(last: ChainLink, { end, lastSequence, previous }: ChainEndRecord): void {
  if (lastSequence === last.sequence && previous === last.digest && end.at === last.at) return;
  throw brokenChain(last.chainId, null, chainEndName(last.chainId), `it speaks of another object than number ${last.sequence}, which is the last`);
}

/**
 * Slices from `after + 1`, or where the front was pruned from the first that is kept, to the last; verified, not decompressed. What lies
 * behind the end does not count.
 * @throws REPOSITORY_CHAIN_MISSING, REPOSITORY_CHAIN_BROKEN, REPOSITORY_FORMAT_NEWER
 */
export async function* walkChain(context: ChainContext, chainId: string, options: { readonly after?: number; readonly signal?: AbortSignal }): AsyncGenerator<OpenedSlice> {
  const { after = 0, signal } = options;
  throwIfAborted(signal);
  const names = await listChainNames(context, chainId);
  const end = await readEnd(context, chainId);
  const last = end?.lastSequence ?? names.newest;
  let link = await linkBehind(context, chainId, after, last, signal);
  for (let sequence = link.sequence + 1; sequence <= last; sequence += 1) {
    throwIfAborted(signal);
    const object = await readNumbered(context, chainId, sequence, signal);
    assertFollows(link, object);
    if (!('slice' in object)) {
      if (end === null) return; // Closed; the crash that followed left it without `end`.
      throw brokenChain(chainId, sequence, sliceName(chainId, sequence), `the chain is closed here, and its end says that it goes on to number ${last}`);
    }
    link = linkOfSlice(object);
    yield object;
  }
  if (end !== null) assertEndsAt(link, end);
}

async function linkBehind(context: ChainContext, chainId: string, after: number, last: number, signal?: AbortSignal): Promise<ChainLink> {
  const start = await readStart(context, chainId);
  if (start !== null && after < start.first) return linkOfStart(chainId, start);
  if (after === 0) {
    const head = await readHead(context, chainId);
    if (head !== null) return linkOfHead(head);
    throw brokenChain(chainId, 0, chainHeadName(chainId), 'the store has no such object');
  }
  const name = sliceName(chainId, after);
  if (after > last) throw brokenChain(chainId, after, name, `the chain has no slice of that number, its last one is ${last}`);
  const object = await readNumbered(context, chainId, after, signal);
  if ('slice' in object) return linkOfSlice(object);
  throw brokenChain(chainId, after, name, 'it is no slice, the chain is closed there');
}
