// The dumps of one open repository: written, listed, read.
import { createHash } from 'node:crypto';
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { damaged } from '../format/damage.ts';
import { openDumpManifest, openDumpPart, sealDumpManifest, sealDumpPart } from '../format/dump-objects.ts';
import { CATALOG, dumpManifestName, dumpPartName, partsOfDumpName } from '../format/names.ts';
import { readObject, readObjectIfAny } from '../read-object.ts';
import { openSession } from '../sessions.ts';
import type { Dump, DumpObject, Dumps } from './dumps.ts';
import { trimDumps } from './trim-dumps.ts';

/** @param assertOpen throws once the repository is closed @param assertWritable where it is a copy, too */
export function createDumps(context: RepositoryContext, assertOpen: () => void, assertWritable: () => void): Dumps {
  return {
    async write(parts, body, options = {}) {
      assertWritable();
      return writeDump(context, parts, body, options.signal);
    },
    async list(options = {}) {
      assertOpen();
      return listDumps(context, options.onUnreadable);
    },
    async *read(dumpId, options = {}) {
      assertOpen();
      const dump = await readDumpManifest(context, dumpId);
      if (dump === null || 'fenced' in dump) {
        throw new LeafvaultError('REPOSITORY_DUMP_MISSING', `Reading the dump ${dumpId} failed: the repository has no whole one of that id`, {
          details: { dumpId }, hint: '`leafvault rescue --list` shows those that are there',
        });
      }
      yield* readDumpParts(context, dump, options);
    },
    async trim(keeps, options = {}) {
      assertWritable();
      return trimDumps(context, keeps, options.signal);
    },
  };
}

async function writeDump(context: RepositoryContext, parts: AsyncIterable<Uint8Array>, body: () => Dump['body'], signal: AbortSignal | undefined): Promise<Dump> {
  const { storage, keys, clock } = context;
  // Says that somebody is at it: without it, and without a manifest, parts are leavings. The dump has the session's id.
  const session = await openSession(context, 'writer');
  try {
    const { id } = session;
    const sum = createHash('sha256');
    const sizes = { parts: 0, rawBytes: 0, storedBytes: 0 };
    for await (const raw of parts) {
      throwIfAborted(signal);
      const name = dumpPartName(id, sizes.parts + 1);
      const bytes = await sealDumpPart(keys, name, raw);
      await storage.put(name, bytes, { signal });
      sum.update(raw);
      sizes.parts += 1;
      sizes.rawBytes += raw.length;
      sizes.storedBytes += bytes.length;
    }
    const dump: Dump = { id, createdAt: clock.now().toISOString(), ...sizes, sha256: sum.digest('hex'), body: body() };
    await putManifest(context, dump, signal);
    return dump;
  } finally {
    await session.end();
  }
}

async function putManifest({ storage, keys }: RepositoryContext, dump: Dump, signal: AbortSignal | undefined): Promise<void> {
  try {
    await storage.put(dumpManifestName(dump.id), sealDumpManifest(keys, dump), { signal });
  } catch (cause) {
    if (!isLeafvaultError(cause, 'STORAGE_OBJECT_EXISTS')) throw cause;
    throw new LeafvaultError('REPOSITORY_DUMP_FENCED', `Writing the dump ${dump.id} failed: it was taken for abandoned and swept meanwhile`, {
      cause, retryable: true, hint: 'Nothing to do: the next dump is a new one', details: { dumpId: dump.id },
    });
  }
}

/** null where there is no object of that name. @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function readDumpManifest({ storage, keys }: Pick<RepositoryContext, 'storage' | 'keys'>, dumpId: string): Promise<DumpObject | null> {
  const bytes = await readObjectIfAny(storage, dumpManifestName(dumpId));
  return bytes === null ? null : openDumpManifest(keys, dumpId, bytes);
}

export async function listDumps(context: RepositoryContext, onUnreadable?: (object: string, error: unknown) => void): Promise<readonly Dump[]> {
  const dumps: Dump[] = [];
  for await (const { name } of context.storage.list(CATALOG)) {
    const parts = partsOfDumpName(name);
    if (parts?.part !== 'manifest') continue;
    try {
      const dump = await readDumpManifest(context, parts.dumpId);
      if (dump !== null && !('fenced' in dump)) dumps.push(dump);
    } catch (error) {
      if (onUnreadable === undefined || !isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
      onUnreadable(name, error);
    }
  }
  return dumps.sort(byAge);
}

/** Newest first. */
export function byAge(a: Dump, b: Dump): number {
  return a.createdAt === b.createdAt ? b.id.localeCompare(a.id) : b.createdAt.localeCompare(a.createdAt);
}

/** Verified. @throws REPOSITORY_OBJECT_MISSING, REPOSITORY_OBJECT_DAMAGED */
export async function* readDumpParts(
  { storage, keys }: Pick<RepositoryContext, 'storage' | 'keys'>, dump: Dump, options: { readonly signal?: AbortSignal; readonly onRead?: (storedBytes: number) => void },
): AsyncGenerator<Buffer> {
  const sum = createHash('sha256');
  for (let part = 1; part <= dump.parts; part += 1) {
    throwIfAborted(options.signal);
    const name = dumpPartName(dump.id, part);
    const bytes = await readObject(storage, name);
    options.onRead?.(bytes.length);
    const raw = await openDumpPart(keys, name, bytes);
    sum.update(raw);
    yield raw;
  }
  if (sum.digest('hex') !== dump.sha256) throw damaged(dumpManifestName(dump.id), 'its parts do not add up to what it says');
}
