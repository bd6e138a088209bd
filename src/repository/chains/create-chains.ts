// The chains of one open repository.
import { newId } from '../../foundation/ids.ts';
import type { RepositoryContext } from '../context.ts';
import { chainHeadName, OPLOG, partsOfChainName, sliceName } from '../format/names.ts';
import { sealChainHead } from '../format/chain-head.ts';
import { isPosition } from '../format/chain-fields.ts';
import { digestOf } from '../format/numbered-object.ts';
import { asPartOfChain, brokenChain, endedChain, invalidChain, missingChain } from './chain-errors.ts';
import { listChainNames, missingNumbers } from './chain-names.ts';
import type { ChainEnd, ChainHead, Chains, ChainWriter } from './chains.ts';
import { openChainWriter, type WriterContext } from './open-chain-writer.ts';
import { putEnd } from './put-end.ts';
import { readEnd, readHead, readNumbered, readStart } from './read-chain-objects.ts';
import { unpackSliceData } from './slice-data.ts';
import { trimChain } from './trim-chain.ts';
import { assertFollows, linkOfHead, linkOfSlice, linkOfStart, walkChain } from './walk-chain.ts';

/** @param assertOpen throws once the repository is closed @param assertWritable where it is a copy, too */
export function createChains(context: WriterContext & Pick<RepositoryContext, 'log'>, assertOpen: () => void, assertWritable: () => void): Chains {
  return {
    async begin({ series, from, body }) {
      assertWritable();
      if (!isPosition(from)) throw invalidChain(`the head of a chain of ${series}`, `${JSON.stringify(from)} is no position`, 'A position is 16 lower-case hex digits');
      const { storage, keys, clock } = context;
      const now = clock.now();
      const copy = JSON.parse(JSON.stringify(body)) as ChainHead['body'];
      const head: ChainHead = { id: newId(now), series, createdAt: now.toISOString(), from, body: copy };
      const bytes = sealChainHead(keys, head);
      await storage.put(chainHeadName(head.id), bytes);
      return openChainWriter(context, { head, last: null, link: linkOfHead({ head, digest: digestOf(bytes) }), assertOpen });
    },
    async resume(chainId) {
      assertWritable();
      return resumeChain(context, chainId, assertOpen);
    },
    async *list(series) {
      assertOpen();
      yield* listChains(context, series);
    },
    async *slices(chainId, options = {}) {
      assertOpen();
      for await (const { slice } of walkChain(context, chainId, options)) yield slice;
    },
    async trim(chainId, { before, signal }) {
      assertWritable();
      if (!isPosition(before)) throw invalidChain(`the start of the chain ${chainId}`, `${JSON.stringify(before)} is no position`, 'A position is 16 lower-case hex digits');
      return trimChain(context, chainId, before, signal);
    },
    async *read(chainId, options = {}) {
      assertOpen();
      for await (const { slice, data } of walkChain(context, chainId, options)) {
        const name = sliceName(chainId, slice.sequence);
        const raw = await asPartOfChain(chainId, slice.sequence, name, () => unpackSliceData(name, data, slice.rawBytes));
        yield { slice, raw };
      }
    },
  };
}

/** Reads names, `head`, `end` and the newest object: whoever reads the chain verifies the others. */
async function resumeChain(context: WriterContext, chainId: string, assertOpen: () => void): Promise<ChainWriter> {
  const names = await listChainNames(context, chainId);
  const opened = await readHead(context, chainId);
  if (opened === null) throw missingChain(chainId);
  const end = await readEnd(context, chainId);
  if (end !== null) throw endedChain(chainId, end.end.reason);
  if (names.numbered < names.newest - names.first + 1) {
    for await (const sequence of missingNumbers(context.storage, chainId, { first: names.first, last: names.newest })) {
      throw brokenChain(chainId, sequence, sliceName(chainId, sequence), 'the store has no such object');
    }
  }
  const start = await readStart(context, chainId);
  const link = start === null ? linkOfHead(opened) : linkOfStart(chainId, start);
  if (names.newest === 0) return openChainWriter(context, { head: opened.head, last: null, link, assertOpen });
  const newest = await readNumbered(context, chainId, names.newest);
  if (names.newest === link.sequence + 1) assertFollows(link, newest);
  if ('slice' in newest) return openChainWriter(context, { head: opened.head, last: newest.slice, link: linkOfSlice(newest), assertOpen });
  await putEnd(context, chainId, newest);
  throw endedChain(chainId, newest.end.reason);
}

async function* listChains(context: WriterContext, series?: string): AsyncGenerator<{ readonly head: ChainHead; readonly end: ChainEnd | null }> {
  let failure: { readonly error: unknown } | null = null;
  for await (const { name } of context.storage.list(OPLOG)) {
    const parts = partsOfChainName(name);
    if (parts?.part !== 'head') continue;
    try {
      const opened = await readHead(context, parts.chainId);
      if (opened === null || (series !== undefined && opened.head.series !== series)) continue;
      const end = await readEnd(context, parts.chainId);
      yield { head: opened.head, end: end?.end ?? null };
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== null) throw failure.error;
}
