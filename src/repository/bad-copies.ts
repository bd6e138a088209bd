// Copies of chunks that a check found bad, written down so that nothing new rests on them (docs/design/checking.md).
import { isLeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import { deleteOrLeave } from './delete-or-leave.ts';
import type { RepositoryContext } from './context.ts';
import { damaged, isDamage } from './format/damage.ts';
import { BAD, badName, partsOfBadName } from './format/names.ts';
import { openJson, sealJson } from './format/sealed-json.ts';
import { readObjectIfAny } from './read-object.ts';

export interface BadCopies {
  /** Whether the copy of this chunk in this pack is not to be trusted. */
  has(packId: string, chunkId: Buffer): boolean;
  /** Each pack with the hex ids of its bad chunks; null: all of them. */
  readonly packs: ReadonlyMap<string, ReadonlySet<string> | null>;
  /** Names of records that can't be read, with their packs. */
  readonly unreadable: ReadonlyMap<string, string>;
}

export const NO_BAD_COPIES: BadCopies = { has: () => false, packs: new Map(), unreadable: new Map() };

/** All that is written down. A record that can't be read, though its pack is named, speaks of the whole pack. */
export async function readBadCopies({ storage, keys }: Pick<RepositoryContext, 'storage' | 'keys'>): Promise<BadCopies> {
  const packs = new Map<string, Set<string> | null>();
  const unreadable = new Map<string, string>();
  for await (const { name } of storage.list(BAD)) {
    const packId = partsOfBadName(name)?.packId;
    if (packId === undefined) continue;
    const chunks = await readRecord({ storage, keys }, name).catch((error: unknown) => {
      // A flipped bit in the version is one that says "newer", too.
      if (!isLeafvaultError(error) || !isDamage(error)) throw error;
      unreadable.set(name, packId);
      return null;
    });
    // Gone since it was listed.
    if (chunks === undefined) continue;
    const known = packs.get(packId);
    packs.set(packId, chunks === null || known === null ? null : new Set([...(known ?? []), ...chunks]));
  }
  if (packs.size === 0) return NO_BAD_COPIES;
  return {
    packs, unreadable,
    has(packId, chunkId) {
      const chunks = packs.get(packId);
      return chunks === null || (chunks?.has(chunkId.toString('hex')) ?? false);
    },
  };
}

/** Hex ids of chunks, null for the whole pack; undefined where there is no such object. @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function readRecord({ storage, keys }: Pick<RepositoryContext, 'storage' | 'keys'>, name: string): Promise<readonly string[] | null | undefined> {
  const bytes = await readObjectIfAny(storage, name);
  if (bytes === null) return undefined;
  const { chunks } = openJson(keys, { kind: 'bad', name }, bytes);
  if (chunks === null) return null;
  if (!Array.isArray(chunks) || !chunks.every((each): each is string => typeof each === 'string')) throw damaged(name, 'it names no chunks');
  return chunks;
}

/** @param chunks hex ids; null: the whole pack */
export async function putBadCopies(
  { storage, keys, clock }: Pick<RepositoryContext, 'storage' | 'keys' | 'clock'>, packId: string, chunks: readonly string[] | null,
): Promise<void> {
  const name = badName(packId, newId(clock.now()));
  await storage.put(name, sealJson(keys, { kind: 'bad', name }, { createdAt: clock.now().toISOString(), chunks }));
}

/** Takes away what is written down of these packs. @returns how many records went */
export async function forgetBadCopies(context: Pick<RepositoryContext, 'storage' | 'log'>, isOver: (packId: string) => Promise<boolean> | boolean): Promise<number> {
  const over: string[] = [];
  for await (const { name } of context.storage.list(BAD)) {
    const packId = partsOfBadName(name)?.packId;
    if (packId !== undefined && (await isOver(packId))) over.push(name);
  }
  // One that stays costs bytes: what it speaks of is stored anew.
  let gone = 0;
  for (const name of over) gone += Number(await deleteOrLeave(context, name));
  return gone;
}
