// What a check named, and what reads had to fetch from a second copy, is put in place again from there (docs/design/checking.md, "Mended from a copy").
import type { Catalog } from '../catalog/index.ts';
import { mendedKey, withMended, type MendedState } from '../domain/mended-state.ts';
import type { Clock } from '../foundation/clock.ts';
import { isLeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { HealOptions, Repository } from '../repository/repository.ts';
import { ownersThatAreGone, SESSION_ENDS_AFTER_MS } from './session-owner.ts';
import type { Chore } from './worker.ts';

export interface MendingParts {
  readonly catalog: Pick<Catalog, 'settings' | 'workers'>;
  readonly repositories: () => Promise<readonly Repository[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

const TOLD = 20;

/** What a read of this process fell over stays remembered until it is mended, or can't be. */
export function createMendingChore(parts: MendingParts): Chore {
  return {
    name: 'mending what was read from a copy', everyMs: 60_000,
    async run(signal) {
      for (const repository of await parts.repositories()) {
        const objects = repository.readFromCopies();
        if (objects.length > 0) await mend(parts, repository, { objects }, signal);
      }
    },
  };
}

/**
 * @returns names of the objects that are sound in their place again; null where a prune, a copier or another repair is at work, and nothing was done
 * @throws where the repository's own store fails
 */
export async function mend({ catalog, clock, log }: Omit<MendingParts, 'repositories'>, repository: Repository, named: Pick<HealOptions, 'objects' | 'begun'>, signal: AbortSignal): Promise<readonly string[] | null> {
  const isOver = await ownersThatAreGone({ clock, workers: () => catalog.workers.list(), afterMs: SESSION_ENDS_AFTER_MS });
  try {
    const { healed, failed } = await repository.healFromCopies({ ...named, isOver, signal });
    const names = healed.map(({ name }) => name);
    if (names.length > 0) await note(catalog, repository.id, names, clock.now());
    if (failed.length > 0) log.error({ objects: failed.slice(0, TOLD), count: failed.length }, 'damaged objects could not be fetched again from a second copy');
    return names;
  } catch (error) {
    if (!isLeafvaultError(error, 'REPOSITORY_BUSY')) throw error;
    log.info({ repository: repository.id }, 'damaged objects wait to be mended: a prune, a copier or another repair is at work');
    return null;
  }
}

async function note({ settings }: MendingParts['catalog'], repositoryId: string, names: readonly string[], at: Date): Promise<void> {
  const key = mendedKey(repositoryId);
  for (;;) {
    const state = (await settings.get(key)) as MendedState | undefined;
    const next = withMended(state ?? null, names, at);
    if (state === undefined ? (await settings.getOrSet(key, next) as MendedState).lastAt === next.lastAt : await settings.replace(key, state, next)) return;
  }
}
