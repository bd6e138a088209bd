// Generations of pruning: read and obeyed by everybody, made by a prune only (format document, section 13).
import { damaged } from './format/damage.ts';
import { generationName, GENERATIONS } from './format/names.ts';
import { openJson } from './format/sealed-json.ts';
import type { RepositoryContext } from './context.ts';
import { readObject } from './read-object.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys'>;

/** The largest generation that was begun, 0 without any. */
export async function currentGeneration({ storage }: Pick<Context, 'storage'>): Promise<number> {
  let current = 0;
  for await (const { name } of storage.list(GENERATIONS)) {
    const [, digits] = /^generations\/([0-9]{10})$/.exec(name) ?? [];
    if (digits !== undefined) current = Math.max(current, Number(digits));
  }
  return current;
}

/** Ids of all packs that are condemned up to now. A writer stores their chunks anew. */
export async function condemnedPacks({ storage, keys }: Context): Promise<ReadonlySet<string>> {
  const condemned = new Set<string>();
  const current = await currentGeneration({ storage });
  for (let generation = 1; generation <= current; generation += 1) {
    const name = generationName(generation);
    // A generation whose packs are all swept may be gone.
    if ((await storage.stat(name)) === null) continue;
    const { condemned: packs } = openJson(keys, { kind: 'generation', name }, await readObject(storage, name));
    if (!Array.isArray(packs)) throw damaged(name, 'it names no condemned packs');
    for (const pack of packs) condemned.add(String(pack));
  }
  return condemned;
}
