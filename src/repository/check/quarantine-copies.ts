// What a check does about bad copies: it remembers those of earlier checks, and writes down the new ones.
import { deleteOrLeave } from '../delete-or-leave.ts';
import { forgetBadCopies, putBadCopies, type BadCopies } from '../bad-copies.ts';
import type { RepositoryContext } from '../context.ts';
import { packName } from '../format/names.ts';
import type { CheckReport } from '../repository.ts';
import type { PackCheck } from './check-packs.ts';

type Written = Pick<CheckReport, 'quarantinedPacks' | 'quarantinedCopies' | 'releasedPacks'>;

export const NOTHING_WRITTEN: Written = { quarantinedPacks: 0, quarantinedCopies: 0, releasedPacks: 0 };

/** What an earlier check found counts as bad, though its bytes are not read now; it is told where a snapshot needs it. */
export function recallBadCopies({ bad, problems }: Pick<PackCheck, 'bad' | 'problems'>, recorded: BadCopies, sound: readonly string[]): void {
  const isSound = new Set(sound);
  for (const [packId, chunks] of recorded.packs) {
    if (isSound.has(packId)) continue;
    const name = packName(packId);
    if (chunks === null) bad.addPack(packId, problems.find('REPOSITORY_OBJECT_DAMAGED', name, `An earlier check found the pack ${name} damaged`, true));
    for (const id of chunks ?? []) {
      bad.addChunk(packId, Buffer.from(id, 'hex'), problems.find('REPOSITORY_CHUNK_DAMAGED', `${name} chunk ${id}`, `An earlier check found the chunk ${id} of ${name} damaged`, true));
    }
  }
}

export interface WriteDown {
  readonly found: ReadonlyMap<string, readonly string[] | null>;
  readonly recorded: BadCopies;
  /** Whether every byte of this pack was read now. */
  readonly readsPack: (packId: string) => boolean;
  /** Of which something is recorded, and every byte of which was read and is sound. */
  readonly sound: readonly string[];
  /** Nobody rests on these anyway. */
  readonly condemned: ReadonlySet<string>;
}

/** One record for each pack with something new; after a crash in between the next check puts the others. */
export async function writeDown(context: RepositoryContext, { found, recorded, readsPack, sound, condemned }: WriteDown): Promise<Written> {
  let [quarantinedPacks, quarantinedCopies] = [0, 0];
  for (const [packId, chunks] of found) {
    // What a record that rotted said was found anew where every byte was read.
    const rotten = readsPack(packId) ? [...recorded.unreadable].filter(([, id]) => id === packId).map(([name]) => name) : [];
    const known = rotten.length > 0 ? undefined : recorded.packs.get(packId);
    const fresh = chunks === null ? null : chunks.filter((id) => known?.has(id) !== true);
    if (condemned.has(packId) || known === null || fresh?.length === 0) continue;
    await putBadCopies(context, packId, fresh);
    for (const name of rotten) await deleteOrLeave(context, name);
    context.log.warn({ pack: packId, chunks: fresh?.length ?? 'all' }, 'copies of chunks are damaged; nothing new rests on them, and the next snapshot stores anew what its source still has');
    quarantinedPacks += 1;
    quarantinedCopies += fresh?.length ?? 1;
  }
  const isSound = new Set(sound);
  if (sound.length > 0) await forgetBadCopies(context, (packId) => isSound.has(packId));
  return { quarantinedPacks, quarantinedCopies, releasedPacks: sound.length };
}
