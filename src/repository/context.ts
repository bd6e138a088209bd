// What the parts of one open repository share.
import type { Clock } from '../foundation/clock.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Storage } from '../storage/index.ts';
import type { ChunkIndex } from './chunk-index/chunk-index.ts';
import type { ChunkPool } from './chunks/chunk-pool.ts';
import type { RepositoryKeys } from './format/keys.ts';
import type { PackKeys } from './read/pack-keys.ts';
import type { OpenSession } from './repository.ts';

export interface RepositoryContext {
  readonly id: string;
  /** Tries again where that can help. */
  readonly storage: Storage;
  readonly keys: RepositoryKeys;
  readonly index: ChunkIndex;
  readonly pool: ChunkPool;
  readonly packKeys: PackKeys;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the sessions that are opened: says to a prune whether they may still be at work. */
  readonly owner: string;
  /** Sessions that are over and could not be taken away. `lateUntil`: on the monotonic clock, one that may still arrive in the store. */
  readonly left: Map<string, { readonly kind: OpenSession['kind']; readonly lateUntil: number | null }>;
  /** The same in each copy, by its address, with the store that it was last reached by. */
  readonly leftInCopies: Map<string, Pick<RepositoryContext, 'storage' | 'left'>>;
  /** Takes in index objects that appeared since, and lets go of what was pruned. */
  refreshIndex(): Promise<void>;
  /** Takes in packs that no index names, by their own directories. Reads all names of packs: the last resort. */
  recoverIndex(): Promise<void>;
}
