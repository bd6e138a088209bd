// Takes dumps away: the manifest first, so that what is half gone is none; then what dead writers left.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { deleteOrLeave } from '../delete-or-leave.ts';
import { openDumpManifest, sealDumpFence } from '../format/dump-objects.ts';
import { CATALOG, dumpManifestName, dumpPartName, partsOfDumpName, sessionName } from '../format/names.ts';
import { readObjectIfAny } from '../read-object.ts';
import type { Dump, DumpObject, TrimmedDumps } from './dumps.ts';

interface Listed { readonly parts: Map<number, number>; hasManifest: boolean }

export async function trimDumps(context: RepositoryContext, keeps: (dump: Dump) => boolean, signal: AbortSignal | undefined): Promise<TrimmedDumps> {
  const report = { dumps: [] as string[], leavings: [] as string[], storedBytes: 0, stuck: [] as string[] };
  for (const [id, listed] of await listById(context)) {
    throwIfAborted(signal);
    const found = await manifestOf(context, id, listed.hasManifest);
    if (found === 'unreadable') continue; // Check tells of it; its parts may be all that is left.
    if (found === null) {
      if (!(await fence(context, id))) continue;
    } else if (!('fenced' in found)) {
      if (keeps(found) || !(await deleteOrLeave(context, dumpManifestName(id), report.stuck))) continue;
      report.dumps.push(id);
    }
    if (listed.parts.size > 0 && (found === null || 'fenced' in found)) report.leavings.push(id);
    for (const [part, sizeBytes] of listed.parts) if (await deleteOrLeave(context, dumpPartName(id, part), report.stuck)) report.storedBytes += sizeBytes;
  }
  return report;
}

async function listById({ storage }: Pick<RepositoryContext, 'storage'>): Promise<ReadonlyMap<string, Listed>> {
  const byId = new Map<string, Listed>();
  for await (const { name, sizeBytes } of storage.list(CATALOG)) {
    const found = partsOfDumpName(name);
    if (found === null) continue;
    const listed = byId.get(found.dumpId) ?? { parts: new Map(), hasManifest: false };
    byId.set(found.dumpId, listed);
    if (found.part === 'manifest') listed.hasManifest = true;
    else listed.parts.set(found.part, sizeBytes);
  }
  return byId;
}

async function manifestOf({ storage, keys }: RepositoryContext, id: string, isListed: boolean): Promise<DumpObject | 'unreadable' | null> {
  const bytes = isListed ? await readObjectIfAny(storage, dumpManifestName(id)) : null;
  if (bytes === null) return null;
  try {
    return openDumpManifest(keys, id, bytes);
  } catch (error) {
    if (isLeafvaultError(error) && error.code.startsWith('REPOSITORY_')) return 'unreadable';
    throw error;
  }
}

/**
 * A fence under the name of the manifest: whatever its writer is about to do, it will not make a dump of parts that go.
 * @returns false where somebody is still at it, or its manifest came meanwhile
 */
async function fence({ storage, keys }: RepositoryContext, id: string): Promise<boolean> {
  if ((await storage.stat(sessionName(id))) !== null) return false;
  try {
    await storage.put(dumpManifestName(id), sealDumpFence(keys, id));
    return true;
  } catch (error) {
    if (isLeafvaultError(error, 'STORAGE_OBJECT_EXISTS')) return false;
    throw error;
  }
}
