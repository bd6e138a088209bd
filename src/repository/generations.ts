// Generations of pruning: read and obeyed by everybody, made by a prune only (format document, section 13).
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { RepositoryContext } from './context.ts';
import { damaged, isDamage } from './format/damage.ts';
import { generationName, generationOfName, GENERATIONS } from './format/names.ts';
import { openJson, sealJson } from './format/sealed-json.ts';
import { readObjectIfAny } from './read-object.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys'>;

export interface Condemned {
  /** Every condemned pack with the last generation that condemns it. */
  readonly packs: ReadonlyMap<string, number>;
  /** Of them those that were condemned before the roots went that needed them, and not since: a reader may have begun in between. */
  readonly unsettled: ReadonlySet<string>;
  /** Those that can't be read: what else is condemned is not known. */
  readonly unreadable: readonly LeafvaultError[];
}

/** The largest generation that was begun, 0 without any. */
export async function currentGeneration(context: Pick<Context, 'storage'>): Promise<number> {
  return (await generations(context)).reduce((largest, generation) => Math.max(largest, generation), 0);
}

/** All that is condemned up to now. Nothing new rests on it; where something of it can't be read, on nothing at all. */
export async function readCondemned({ storage, keys }: Context): Promise<Condemned> {
  const packs = new Map<string, number>();
  const unsettled = new Set<string>();
  const unreadable: LeafvaultError[] = [];
  for (const generation of (await generations({ storage })).sort((a, b) => a - b)) {
    const read = await readGeneration({ storage, keys }, generation).catch((error: unknown) => {
      if (!isLeafvaultError(error) || !isDamage(error)) throw error;
      unreadable.push(lost(generationName(generation), error));
      return null;
    });
    for (const pack of read?.condemned ?? []) {
      packs.set(pack, generation);
      if (read?.beforeRoots === true) unsettled.add(pack);
      else unsettled.delete(pack);
    }
  }
  return { packs, unsettled, unreadable };
}

/** Every condemned pack with the last generation that condemns it. @throws REPOSITORY_OBJECT_DAMAGED where that can't be told */
export async function condemnations(context: Context): Promise<ReadonlyMap<string, number>> {
  const { packs, unreadable: [first] } = await readCondemned(context);
  if (first !== undefined) throw first;
  return packs;
}

/** null for one whose packs are all swept: it may be gone. */
async function readGeneration({ storage, keys }: Context, generation: number): Promise<{ readonly condemned: readonly string[]; readonly beforeRoots: boolean } | null> {
  const name = generationName(generation);
  const bytes = await readObjectIfAny(storage, name);
  if (bytes === null) return null;
  const { condemned, beforeRoots } = openJson(keys, { kind: 'generation', name }, bytes);
  if (!Array.isArray(condemned) || !condemned.every((pack): pack is string => typeof pack === 'string' && isId(pack))) throw damaged(name, 'it names no condemned packs');
  return { condemned, beforeRoots: beforeRoots === true };
}

function lost(name: string, error: LeafvaultError): LeafvaultError {
  const { code, message, cause, details } = error;
  // What a newer program wrote is no damage: it is that program's to read.
  if (code === 'REPOSITORY_FORMAT_NEWER') return error;
  return new LeafvaultError(code, `${message}; which packs it condemns is not known, so writers store everything anew, and nothing is pruned`, {
    cause, details,
    hint: `Stop everything that uses the repository, on every machine, delete ${name} in the store by hand, and start again: the next prune weighs every pack anew`,
  });
}

/**
 * @param options `beforeRoots`: what it condemns is needed by roots that are about to go, and has to be condemned once more behind them
 * @throws STORAGE_OBJECT_EXISTS when another prune began this generation
 */
export async function beginGeneration(
  { storage, keys, clock }: Pick<RepositoryContext, 'storage' | 'keys' | 'clock'>, generation: number, condemned: readonly string[], options: { readonly beforeRoots?: true } = {},
): Promise<void> {
  const name = generationName(generation);
  await storage.put(name, sealJson(keys, { kind: 'generation', name }, { generation, createdAt: clock.now().toISOString(), condemned: [...condemned], ...options }));
}

/** Those that the store still has, in no promised order. */
export async function generations({ storage }: Pick<Context, 'storage'>): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of storage.list(GENERATIONS)) {
    const generation = generationOfName(name);
    if (generation !== null) found.push(generation);
  }
  return found;
}
