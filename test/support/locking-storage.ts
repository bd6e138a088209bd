// A store in memory that holds objects, by the clock of a test: as a bucket with versions, or as one that refuses to delete what is held.
import type { Clock } from '../../src/foundation/clock.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';

const DAY_MS = 86_400_000;

export interface LockingStorage extends Storage {
  readonly holds: Map<string, Date>;
  /** Calls to the lock, `hold packs/…`. */
  readonly asked: string[];
  /** From here on held objects are not deleted; else a delete hides them, as in a bucket with versions. */
  refuses: boolean;
  /** What it is to say that somebody put other bytes over. */
  readonly overwritten: string[];
  /** Instants that `purge` was asked for. */
  readonly purges: Date[];
  /** As somebody else would: whatever is held. */
  lose(name: string): Promise<void>;
}

export function createLockingStorage(clock: Clock, days = 30): LockingStorage {
  const inner = createMemoryStorage('locking');
  const [holds, asked, purges, overwritten] = [new Map<string, Date>(), [] as string[], [] as Date[], [] as string[]];
  const assertThere = async (name: string): Promise<void> => {
    if ((await inner.stat(name)) === null) throw new LeafvaultError('STORAGE_OBJECT_MISSING', `there is no ${name}`);
  };
  const store: LockingStorage = {
    ...inner, holds, asked, purges, overwritten, refuses: false,
    objectLock: {
      mode: 'compliance', days,
      assertAvailable: async () => [],
      async heldUntil(name) {
        asked.push(`ask ${name}`);
        await assertThere(name);
        return holds.get(name) ?? null;
      },
      async hold(name, until) {
        asked.push(`hold ${name}`);
        await assertThere(name);
        if (until > (holds.get(name) ?? until) || !holds.has(name)) holds.set(name, until);
      },
      overwritten: async function* names(takes) { yield* overwritten.filter(takes); },
      async purge(before, _takes) {
        purges.push(before);
        return { removed: 0, removedBytes: 0, hidden: 0, hiddenBytes: 0, refused: null };
      },
    },
    async put(name, bytes, options) {
      await inner.put(name, bytes, options);
      if (options?.passing !== true) holds.set(name, new Date(clock.now().getTime() + days * DAY_MS));
    },
    async delete(name) {
      const until = holds.get(name);
      if (store.refuses && until !== undefined && until > clock.now()) throw new LeafvaultError('STORAGE_LOCKED', `Deleting ${name} failed: it is held until ${until.toISOString()}`);
      await inner.delete(name);
    },
    lose: (name) => inner.delete(name),
  };
  return store;
}
