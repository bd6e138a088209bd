// `oplog/<chain id>/head`: where a chain begins (format document, section 17).
import type { ChainHead } from '../chains/chains.ts';
import { damaged } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { chainHeadName } from './names.ts';
import { isPosition, isRecord } from './chain-fields.ts';
import { openJson, sealJson } from './sealed-json.ts';

export function sealChainHead(keys: RepositoryKeys, { id, series, createdAt, from, body }: ChainHead): Buffer {
  return sealJson(keys, { kind: 'oplog', name: chainHeadName(id) }, { id, series, createdAt, from, body });
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function openChainHead(keys: RepositoryKeys, chainId: string, bytes: Buffer): ChainHead {
  const name = chainHeadName(chainId);
  const { id, series, createdAt, from, body } = openJson(keys, { kind: 'oplog', name }, bytes);
  if (id !== chainId) throw damaged(name, 'it belongs under another name');
  if (typeof series !== 'string' || typeof createdAt !== 'string' || !isPosition(from) || !isRecord(body)) throw damaged(name, 'it lacks a field');
  return { id, series, createdAt, from, body };
}
