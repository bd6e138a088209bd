// `end`, made from the close: by who ended the chain, or by who finds it closed after a crash in between.
import { isLeafvaultError } from '../../foundation/errors.ts';
import { sealChainEnd, type ChainEndRecord } from '../format/chain-end.ts';
import { chainEndName } from '../format/names.ts';
import type { OpenedClose } from '../format/numbered-object.ts';
import { readEnd, type ChainContext } from './read-chain-objects.ts';

/** @returns what `end` says; somebody else may have put it first, from the same close @throws REPOSITORY_CHAIN_BROKEN */
export async function putEnd(context: ChainContext, chainId: string, { sequence, previous, end }: OpenedClose): Promise<ChainEndRecord> {
  const record: ChainEndRecord = { end, lastSequence: sequence - 1, previous };
  try {
    await context.storage.put(chainEndName(chainId), sealChainEnd(context.keys, chainId, record));
    return record;
  } catch (cause) {
    if (!isLeafvaultError(cause, 'STORAGE_OBJECT_EXISTS')) throw cause;
    return (await readEnd(context, chainId)) ?? record;
  }
}
