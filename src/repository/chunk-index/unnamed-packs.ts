// Packs that no readable index names: left by a crash, not finished yet, or robbed of their index. Their own
// directories say what is in them.
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { CHUNK_ENTRY_BYTES, writeChunkEntry, type ChunkEntry } from '../format/chunk-entry.ts';
import type { IndexPayload } from '../format/index-object.ts';
import { idOfName, PACKS } from '../format/names.ts';
import { readPackDirectory } from '../read/pack-directory.ts';
import { sortEntries } from './sort-entries.ts';

export interface UnnamedPack {
  readonly packId: string;
  readonly index: IndexPayload;
}

export interface UnreadablePack {
  readonly packId: string;
  readonly error: LeafvaultError;
}

/** What the packs outside `named` hold. */
export async function* unnamedPacks(
  context: Pick<RepositoryContext, 'storage' | 'packKeys'>, named: ReadonlySet<string>,
): AsyncGenerator<UnnamedPack | UnreadablePack> {
  for await (const { name, sizeBytes } of context.storage.list(PACKS)) {
    const packId = idOfName(name);
    if (packId === null || named.has(packId)) continue;
    try {
      const { entries, bases } = await readPackDirectory(context, packId, sizeBytes);
      yield { packId, index: indexOf(packId, sizeBytes, { entries, bases }) };
    } catch (error) {
      if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
      yield { packId, error };
    }
  }
}

/** The content of an index object that would name just this pack. */
function indexOf(packId: string, sizeBytes: number, { entries, bases }: { readonly entries: readonly ChunkEntry[]; readonly bases: Buffer }): IndexPayload {
  const bytes = Buffer.alloc(entries.length * CHUNK_ENTRY_BYTES);
  entries.forEach((entry, i) => writeChunkEntry(bytes, i * CHUNK_ENTRY_BYTES, { ...entry, packNumber: 0 }));
  return { packs: [{ id: packId, chunks: entries.length, sizeBytes }], entries: sortEntries(bytes), bases };
}
