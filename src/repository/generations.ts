// Generations of pruning: read and obeyed by everybody, made by a prune only (format document, section 13).
import { damaged } from './format/damage.ts';
import { generationName, generationOfName, GENERATIONS } from './format/names.ts';
import { openJson, sealJson } from './format/sealed-json.ts';
import type { RepositoryContext } from './context.ts';
import { readObjectIfAny } from './read-object.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys'>;

/** The largest generation that was begun, 0 without any. */
export async function currentGeneration(context: Pick<Context, 'storage'>): Promise<number> {
  return Math.max(0, ...(await generations(context)));
}

/** Ids of all packs that are condemned up to now. A writer stores their chunks anew. */
export async function condemnedPacks(context: Context): Promise<ReadonlySet<string>> {
  return new Set((await condemnations(context)).keys());
}

/** Every condemned pack with the last generation that condemns it. */
export async function condemnations({ storage, keys }: Context): Promise<ReadonlyMap<string, number>> {
  const last = new Map<string, number>();
  for (const generation of (await generations({ storage })).sort((a, b) => a - b)) {
    const name = generationName(generation);
    // One whose packs are all swept may be gone.
    const bytes = await readObjectIfAny(storage, name);
    if (bytes === null) continue;
    const { condemned } = openJson(keys, { kind: 'generation', name }, bytes);
    if (!Array.isArray(condemned)) throw damaged(name, 'it names no condemned packs');
    for (const pack of condemned) last.set(String(pack), generation);
  }
  return last;
}

/** @throws STORAGE_OBJECT_EXISTS when another prune began this generation */
export async function beginGeneration(
  { storage, keys, clock }: Pick<RepositoryContext, 'storage' | 'keys' | 'clock'>, generation: number, condemned: readonly string[],
): Promise<void> {
  const name = generationName(generation);
  await storage.put(name, sealJson(keys, { kind: 'generation', name }, { generation, createdAt: clock.now().toISOString(), condemned: [...condemned] }));
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
