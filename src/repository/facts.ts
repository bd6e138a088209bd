// Facts: small write-once records about snapshots. What the latest of a kind says is what counts.
import { LeafvaultError } from '../foundation/errors.ts';
import { isId, newId } from '../foundation/ids.ts';
import type { RepositoryContext } from './context.ts';
import { damaged } from './format/damage.ts';
import { factName, FACTS, partsOfFactName } from './format/names.ts';
import { openJson, sealJson } from './format/sealed-json.ts';
import { readObjectIfAny } from './read-object.ts';
import type { Fact } from './repository.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'clock'>;

/** The kind that hides a snapshot. */
export const DELETED = 'deleted';
/** Kinds that keep a snapshot for ever, unless their latest says `"kept": false`: then nothing hides it. */
export const KEEPS: readonly string[] = ['pin', 'hold'];

/** @throws REPOSITORY_FACT_INVALID */
export async function addFact({ storage, keys, clock }: Context, fact: Omit<Fact, 'id'>): Promise<Fact> {
  if (!isId(fact.snapshotId) || !/^[a-z][a-z0-9]{0,31}$/.test(fact.kind)) {
    throw new LeafvaultError('REPOSITORY_FACT_INVALID', `Storing a fact of the kind ${JSON.stringify(fact.kind)} about ${fact.snapshotId} failed: kind or id breaks the rules`, {
      hint: 'A kind is a lower-case letter, then up to 31 lower-case letters and digits; an id is 24 hex digits',
    });
  }
  const { snapshotId, kind, createdAt, body } = fact;
  const whole: Fact = { id: newId(clock.now()), snapshotId, kind, createdAt, body };
  const name = factName(snapshotId, kind, whole.id);
  await storage.put(name, sealJson(keys, { kind: 'fact', name }, { ...whole }));
  return whole;
}

/** Facts of one snapshot or all, in no promised order. @throws REPOSITORY_OBJECT_DAMAGED, after all sound ones were given */
export async function* listFacts({ storage, keys }: Context, snapshotId?: string): AsyncGenerator<Fact> {
  let failure: { readonly error: unknown } | null = null;
  for await (const { name } of storage.list(snapshotId === undefined ? FACTS : `${FACTS}${snapshotId}/`)) {
    try {
      const fact = await readFact({ storage, keys }, name);
      if (fact !== null) yield fact;
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== null) throw failure.error;
}

/**
 * Ids of all snapshots that a sound fact says are deleted, and that no pin and no hold keeps.
 * @param onUnreadable told of each that can't be read, which then deletes nothing, or keeps; without it the first one is thrown
 */
export async function deletedSnapshots(
  { storage, keys }: Pick<Context, 'storage' | 'keys'>, snapshotId?: string, onUnreadable?: (object: string, error: unknown) => void,
): Promise<ReadonlySet<string>> {
  const deleted = new Set<string>();
  const keeps = new Map<string, string[]>();
  const read = (name: string): Promise<Fact | 'unreadable' | null> => readFact({ storage, keys }, name).catch((error: unknown) => {
    if (onUnreadable === undefined) throw error;
    onUnreadable(name, error);
    return 'unreadable';
  });
  for await (const { name } of storage.list(snapshotId === undefined ? FACTS : `${FACTS}${snapshotId}/`)) {
    const parts = partsOfFactName(name);
    if (parts === null) continue;
    if (KEEPS.includes(parts.kind)) keeps.set(parts.snapshotId, [...(keeps.get(parts.snapshotId) ?? []), name]);
    if (parts.kind !== DELETED) continue;
    const fact = await read(name);
    if (fact !== null && fact !== 'unreadable') deleted.add(fact.snapshotId);
  }
  for (const [id, names] of keeps) if (deleted.has(id) && (await isKept(names, read))) deleted.delete(id);
  return deleted;
}

/** One that can't be read keeps: that costs room, the other way round a snapshot. */
async function isKept(names: readonly string[], read: (name: string) => Promise<Fact | 'unreadable' | null>): Promise<boolean> {
  const latest = new Map<string, Fact>();
  for (const name of names) {
    const fact = await read(name);
    if (fact === 'unreadable') return true;
    if (fact !== null && isLaterFact(fact, latest.get(fact.kind))) latest.set(fact.kind, fact);
  }
  return [...latest.values()].some(({ body }) => body['kept'] !== false);
}

/** Of two of one kind about one snapshot: whether the first one counts (format document, section 12). */
export function isLaterFact(a: Fact, b: Fact | undefined): boolean {
  if (b === undefined) return true;
  return a.createdAt === b.createdAt ? a.id > b.id : a.createdAt > b.createdAt;
}

/** null where the object is gone or its name is none of a fact. @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function readFact({ storage, keys }: Pick<Context, 'storage' | 'keys'>, name: string): Promise<Fact | null> {
  const parts = partsOfFactName(name);
  const bytes = parts === null ? null : await readObjectIfAny(storage, name);
  if (parts === null || bytes === null) return null;
  const { id, snapshotId, kind, createdAt, body } = openJson(keys, { kind: 'fact', name }, bytes);
  if (id !== parts.id || snapshotId !== parts.snapshotId || kind !== parts.kind) throw damaged(name, 'it belongs under another name');
  if (typeof createdAt !== 'string' || typeof body !== 'object' || body === null) throw damaged(name, 'it lacks a field');
  return { ...parts, createdAt, body: body as Fact['body'] };
}
