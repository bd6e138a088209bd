// `oplog/<chain id>/end`: what the close of a chain says, under a name that is found at once (format document, section 17).
import type { ChainEnd } from '../chains/chains.ts';
import { chainEndOf, isCount, isDigest } from './chain-fields.ts';
import { damaged } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { chainEndName } from './names.ts';
import { openJson, sealJson } from './sealed-json.ts';

export interface ChainEndRecord {
  readonly end: ChainEnd;
  /** 0 for a chain without slices. */
  readonly lastSequence: number;
  /** Digest of that slice, or of the head. */
  readonly previous: string;
}

export function sealChainEnd(keys: RepositoryKeys, chainId: string, { end, lastSequence, previous }: ChainEndRecord): Buffer {
  const { createdAt, reason, at, body } = end;
  return sealJson(keys, { kind: 'oplog', name: chainEndName(chainId) }, { chainId, createdAt, reason, at, lastSequence, previous, body });
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function openChainEnd(keys: RepositoryKeys, chainId: string, bytes: Buffer): ChainEndRecord {
  const name = chainEndName(chainId);
  const record = openJson(keys, { kind: 'oplog', name }, bytes);
  if (record['chainId'] !== chainId) throw damaged(name, 'it belongs under another name');
  const end = chainEndOf(record);
  const { lastSequence, previous } = record;
  if (end === null || !isCount(lastSequence) || !isDigest(previous)) throw damaged(name, 'it lacks a field');
  return { end, lastSequence, previous };
}
