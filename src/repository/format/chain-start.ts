// `oplog/<chain id>/from-<10 digits>`: with which number a chain begins since what was before it was pruned (format document, section 17).
import { isCount, isDigest, isPosition } from './chain-fields.ts';
import { damaged } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { chainStartName } from './names.ts';
import { openJson, sealJson } from './sealed-json.ts';

/** What the first slice that is kept follows. */
export interface ChainStart {
  /** Of that slice; 2 or more. */
  readonly first: number;
  /** Hex SHA-256 of the slice before it. */
  readonly previous: string;
  /** Position to which the slice before it reaches. */
  readonly at: string;
}

export function sealChainStart(keys: RepositoryKeys, chainId: string, { first, previous, at }: ChainStart, createdAt: string): Buffer {
  return sealJson(keys, { kind: 'oplog', name: chainStartName(chainId, first) }, { chainId, first, previous, at, createdAt });
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function openChainStart(keys: RepositoryKeys, chainId: string, number: number, bytes: Buffer): ChainStart {
  const name = chainStartName(chainId, number);
  const { chainId: of, first, previous, at } = openJson(keys, { kind: 'oplog', name }, bytes);
  if (of !== chainId || first !== number) throw damaged(name, 'it belongs under another name');
  if (!isCount(first) || first < 2 || !isDigest(previous) || !isPosition(at)) throw damaged(name, 'it lacks a field');
  return { first, previous, at };
}
