// Damaged objects are moved aside, never thrown away, and fetched again from a copy (docs/design/second-copy.md, "Quarantine").
import { createHash } from 'node:crypto';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { isDamage } from '../format/damage.ts';
import type { Storage } from '../../storage/index.ts';
import type { RepositoryContext } from '../context.ts';
import { COPY_FILE, GENERATIONS, QUARANTINE, quarantineName, REPOSITORY_FILE, SESSIONS } from '../format/names.ts';
import { putSame } from '../put-same.ts';
import { readObject, readObjectIfAny } from '../read-object.ts';
import { verifyObject } from '../verify-object.ts';

type Context = Pick<RepositoryContext, 'id' | 'storage' | 'keys' | 'pool'>;

/** What an object is replaced by, and where what was there lies now; null: nothing was there. */
export interface Healed {
  readonly name: string;
  readonly quarantined: string | null;
  readonly bytes: number;
}

/**
 * Moves an object aside to `quarantine/<name>`, as it is; its name is free then. The bytes are acknowledged there before they go here,
 * so a crash in between leaves both, and the next try ends it.
 * The caller keeps prunes and copiers away (`withExclusive`), and should have what it puts in its place in hand.
 * @returns its name in quarantine; null where there is no such object
 * @throws REPOSITORY_OBJECT_HELD for objects whose absence, even for a moment, would mislead others
 */
export async function quarantineObject({ storage }: Pick<Context, 'storage'>, name: string): Promise<string | null> {
  assertMovable(name);
  const bytes = await readObjectIfAny(storage, name);
  if (bytes === null) return null;
  const aside = await keep(storage, name, bytes);
  await storage.delete(name);
  return aside;
}

async function keep(storage: Storage, name: string, bytes: Buffer): Promise<string> {
  try {
    await putSame(storage, quarantineName(name), bytes);
    return quarantineName(name);
  } catch (error) {
    if (!isLeafvaultError(error) || !['STORAGE_OBJECT_EXISTS', 'REPOSITORY_OBJECT_DAMAGED'].includes(error.code)) throw error;
    // It was damaged in another way before.
    const aside = quarantineName(name, createHash('sha256').update(bytes).digest('hex').slice(0, 24));
    await putSame(storage, aside, bytes);
    return aside;
  }
}

/**
 * Puts an object that is missing, from a copy of the repository, verified before it is put.
 * @param copy store of the same repository
 * @returns its bytes
 * @throws REPOSITORY_OBJECT_MISSING where the copy has none; REPOSITORY_OBJECT_DAMAGED where the copy's is damaged, too;
 * STORAGE_OBJECT_EXISTS where another object has the name (quarantine it first)
 */
export async function refetchObject(context: Context, name: string, copy: Storage): Promise<number> {
  const bytes = await soundBytes(context, name, copy);
  await putSame(context.storage, name, bytes);
  return bytes.length;
}

/**
 * Both, in the safe order: the sound bytes are in hand before the damaged ones are moved.
 * @returns null where the object is sound as it is
 * @throws as `refetchObject`
 */
export async function healObject(context: Context, name: string, copy: Storage): Promise<Healed | null> {
  const there = await readObjectIfAny(context.storage, name);
  if (there !== null && (await isSound(context, name, there))) return null;
  const bytes = await soundBytes(context, name, copy);
  const quarantined = there === null ? null : await quarantineObject(context, name);
  await putSame(context.storage, name, bytes);
  return { name, quarantined, bytes: bytes.length };
}

async function isSound(context: Context, name: string, bytes: Buffer): Promise<boolean> {
  try {
    await verifyObject(context, name, bytes);
    return true;
  } catch (error) {
    // What a newer version wrote is no damage of ours to mend.
    if (!isDamage(error) || isLeafvaultError(error, 'REPOSITORY_FORMAT_NEWER')) throw error;
    return false;
  }
}

async function soundBytes(context: Context, name: string, copy: Storage): Promise<Buffer> {
  const bytes = await readObject(copy, name);
  await verifyObject(context, name, bytes);
  return bytes;
}

function assertMovable(name: string): void {
  if (name !== REPOSITORY_FILE && name !== COPY_FILE && ![SESSIONS, GENERATIONS, QUARANTINE].some((prefix) => name.startsWith(prefix))) return;
  throw new LeafvaultError('REPOSITORY_OBJECT_HELD', `Moving ${name} to quarantine was refused: others would take its absence for an answer`, {
    details: { object: name }, hint: 'Stop everything that uses the repository, and put a sound one in its place by hand',
  });
}
