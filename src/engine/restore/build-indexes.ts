// Secondary indexes on a loaded collection. One command builds all with one pass over the documents; if it fails,
// they are built one by one, so that the guilty one is known. A failed index never fails the restore.
import { sleep } from '../../foundation/abort.ts';
import { isTransient } from '../mongo/raw-insert.ts';
import type { OrderedDocument } from '../snapshot/index.ts';
import type { Target } from './open-target.ts';
import type { FailedIndex } from './plan.ts';

export interface BuildIndexesOptions {
  readonly db: string;
  readonly collection: string;
  /** Specifications ready for `createIndexes`. */
  readonly indexes: readonly OrderedDocument[];
  readonly signal?: AbortSignal;
}

export interface BuiltIndexes {
  readonly built: number;
  /** Name, key and the server's reason. */
  readonly failed: readonly FailedIndex[];
}

const TRIES = 4;

export async function buildIndexes(target: Target, options: BuildIndexesOptions): Promise<BuiltIndexes> {
  const { indexes } = options;
  if (indexes.length === 0) return { built: 0, failed: [] };
  if ((await build(target, options, indexes)) === null) return { built: indexes.length, failed: [] };
  const failed: FailedIndex[] = [];
  for (const index of indexes) {
    const reason = await build(target, options, [index]);
    if (reason !== null) failed.push({ name: String(index.get('name')), reason: `key ${describeKey(index)}: ${reason}` });
  }
  return { built: indexes.length - failed.length, failed };
}

/** Null when it worked, else the server's words. @throws what is no verdict on the index: a cancel, a lost connection */
async function build(target: Target, options: BuildIndexesOptions, indexes: readonly OrderedDocument[]): Promise<string | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      await target.db(options.db).command({
        createIndexes: options.collection, indexes,
        // The default waits for every voting member, also for one that is down.
        ...(target.facts.topology === 'replicaSet' ? { commitQuorum: 'majority' } : {}),
        writeConcern: { w: 'majority' },
      });
      return null;
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      const verdict = verdictOf(error);
      if (verdict !== null) return verdict;
      if (attempt === TRIES || !isTransient(error)) throw error;
      await sleep(200 * attempt, options.signal);
    }
  }
}

function verdictOf(error: unknown): string | null {
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code !== 'number' || isTransient(error)) return null;
  // Interrupted, operation killed, collection gone: nothing that the index could help.
  if ([11601, 279, 26, 13].includes(code)) return null;
  return (error as Error).message;
}

/** `{a: 1, b: "text"}`, in the order of the index. */
export function describeKey(index: OrderedDocument): string {
  const key = index.get('key');
  const fields = key instanceof Map ? [...(key as OrderedDocument)] : [];
  return `{${fields.map(([name, direction]) => `${name}: ${typeof direction === 'string' ? `"${direction}"` : String(direction)}`).join(', ')}}`;
}
