// The sessions that hold back a prune, and the end of those whose owners are gone (format document, section 13).
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { damaged, isDamage } from '../format/damage.ts';
import { idOfName, partsOfSnapshotName, sessionEndName, sessionName, SESSIONS } from '../format/names.ts';
import { openJson, sealJson } from '../format/sealed-json.ts';
import { readObjectIfAny } from '../read-object.ts';
import type { OpenSession } from '../repository.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys'>;

/** One that can't be read may rest on anything: a writer from before the first generation. */
export async function openSessions({ storage, keys }: Context): Promise<OpenSession[]> {
  const found: OpenSession[] = [];
  for await (const { name } of storage.list(SESSIONS)) {
    const id = idOfName(name);
    const bytes = id === null ? null : await readObjectIfAny(storage, name);
    if (id === null || bytes === null) continue;
    try {
      found.push(sessionOf(id, name, openJson(keys, { kind: 'session', name }, bytes)));
    } catch (error) {
      if (!isDamage(error)) throw error;
      found.push({ id, kind: 'writer', generation: -1, createdAt: new Date(Number.parseInt(id.slice(0, 8), 16) * 1000).toISOString(), owner: '' });
    }
  }
  return found;
}

function sessionOf(id: string, name: string, { kind, generation, createdAt, owner }: Readonly<Record<string, unknown>>): OpenSession {
  if ((kind !== 'reader' && kind !== 'writer' && kind !== 'prune') || typeof generation !== 'number' || typeof createdAt !== 'string') throw damaged(name, 'it lacks a field');
  return { id, kind, generation, createdAt, owner: typeof owner === 'string' ? owner : '' };
}

/** Ends the session of another one for good: what its owner may still do comes to nothing. @throws REPOSITORY_OBJECT_DAMAGED where it can't be told what that is */
export async function endSession(context: Context, { id, kind }: Pick<OpenSession, 'id' | 'kind'>): Promise<void> {
  if (kind === 'writer') await fence(context, id);
  await context.storage.delete(sessionName(id));
  await context.storage.delete(sessionEndName(id));
}

async function fence({ storage, keys }: Context, id: string): Promise<void> {
  const name = sessionEndName(id);
  if (await putNew({ storage }, name, sealJson(keys, { kind: 'sessionEnd', name }, { id, outcome: 'fenced' }))) return;
  const there = await readObjectIfAny(storage, name);
  if (there === null) return;
  const { outcome, root } = openJson(keys, { kind: 'sessionEnd', name }, there);
  const parts = outcome === 'commit' && typeof root === 'string' ? partsOfSnapshotName(root) : null;
  if (parts === null || typeof root !== 'string') return;
  // It was about to put its root: either that is there, or never will be.
  await putNew({ storage }, root, sealJson(keys, { kind: 'snapshot', name: root }, { id: parts.id, fenced: id }));
}

/** False when the name was taken. */
async function putNew({ storage }: Pick<Context, 'storage'>, name: string, bytes: Buffer): Promise<boolean> {
  try {
    await storage.put(name, bytes);
    return true;
  } catch (error) {
    if (!isLeafvaultError(error, 'STORAGE_OBJECT_EXISTS')) throw error;
    return false;
  }
}

/** Takes away what a fence left whose session is gone. */
export async function clearFences({ storage }: Pick<Context, 'storage'>): Promise<void> {
  const names: string[] = [];
  for await (const { name } of storage.list(SESSIONS)) if (name.endsWith('.end')) names.push(name);
  for (const name of names) if ((await storage.stat(name.slice(0, -'.end'.length))) === null) await storage.delete(name);
}
