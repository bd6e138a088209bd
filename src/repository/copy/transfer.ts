// Single objects on their way from the source to the copy, and what is counted of them.
import { createHash } from 'node:crypto';
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import { isDamage } from '../format/damage.ts';
import { REPOSITORY_FILE } from '../format/names.ts';
import type { ObjectInfo, Storage } from '../../storage/index.ts';
import type { RepositoryContext } from '../context.ts';
import { deleteOrLeave } from '../delete-or-leave.ts';
import { putSame } from '../put-same.ts';
import { quarantineObject } from '../quarantine/quarantine.ts';
import { readObjectIfAny } from '../read-object.ts';
import { verifyObject } from '../verify-object.ts';
import type { CopyOptions } from './copy.ts';
import { refused } from './open-destination.ts';

export interface Transfer {
  readonly source: RepositoryContext;
  readonly to: Storage;
  readonly options: CopyOptions;
  readonly counted: { objects: number; bytes: number; skipped: number; deleted: number; readBytes: number };
  readonly replaced: string[];
  readonly rotted: string[];
  readonly damaged: { readonly object: string; readonly message: string }[];
  /** Names of what the copy's store did not let go. */
  readonly stuck: string[];
}

/** `gone`: a prune took it from the source meanwhile. `held`: who looked at it did not want it put. */
export type Carried = 'there' | 'gone' | 'damaged' | 'held';

export function startTransfer(source: RepositoryContext, to: Storage, options: CopyOptions): Transfer {
  return { source, to, options, counted: { objects: 0, bytes: 0, skipped: 0, deleted: 0, readBytes: 0 }, replaced: [], rotted: [], damaged: [], stuck: [] };
}

/**
 * Puts an object of the source into the copy unless it is there.
 * @param inCopy its size in the copy; undefined where it is not there
 * @param look shown the verified bytes, before they are put; false holds them back
 */
export async function carry(transfer: Transfer, { name, sizeBytes }: ObjectInfo, inCopy: number | undefined, look?: (bytes: Buffer) => boolean): Promise<Carried> {
  const { source, to, options: { signal, dryRun, onProgress }, counted, replaced, rotted } = transfer;
  throwIfAborted(signal);
  const isRotten = inCopy === sizeBytes && (await hasRotted(transfer, name));
  if (inCopy === sizeBytes && !isRotten) {
    counted.skipped += 1;
    return 'there';
  }
  let size = sizeBytes;
  if (dryRun !== true) {
    const bytes = await readObjectIfAny(source.storage, name);
    if (bytes === null) return 'gone';
    try {
      await verifyObject(source, name, bytes);
      if (look?.(bytes) === false) return 'held';
    } catch (error) {
      if (!isDamage(error)) throw error;
      tellDamage(transfer, name, (error as LeafvaultError).message);
      return 'damaged';
    }
    throwIfAborted(signal);
    if (inCopy !== undefined && (isRotten || inCopy !== bytes.length)) {
      await quarantineObject({ storage: to }, name);
      (isRotten ? rotted : replaced).push(name);
    }
    await putSame(to, name, bytes, signal);
    size = bytes.length;
  }
  counted.objects += 1;
  counted.bytes += size;
  onProgress?.({ phase: 'copy', documentsDone: counted.objects, documentsTotal: null, bytesDone: counted.bytes, bytesTotal: null, namespace: name });
  return 'there';
}

/** Rot leaves the size as it is: a share of what is there is read back. */
async function hasRotted({ source, to, options: { readData = false, dryRun, signal }, counted }: Transfer, name: string): Promise<boolean> {
  if (dryRun === true || !isInShare(readData, name)) return false;
  const bytes = await readObjectIfAny(to, name);
  throwIfAborted(signal);
  if (bytes === null) return true;
  counted.readBytes += bytes.length;
  try {
    await verifyObject(source, name, bytes);
    return false;
  } catch (error) {
    if (isLeafvaultError(error, 'REPOSITORY_FORMAT_NEWER')) return false;
    if (!isDamage(error)) throw error;
    return true;
  }
}

/** The same object is always in the same part. */
function isInShare(readData: NonNullable<CopyOptions['readData']>, name: string): boolean {
  if (typeof readData === 'boolean') return readData;
  return createHash('sha256').update(name).digest().readUInt32LE(0) % readData.of === readData.part - 1;
}

export function tellDamage({ damaged }: Transfer, object: string, message: string): void {
  if (!damaged.some((one) => one.object === object)) damaged.push({ object, message });
}

/**
 * Takes an object from the copy, when the source says once more that it has none.
 * @returns whether it went @throws REPOSITORY_COPY_REFUSED where the source has nothing at all any more, as a folder whose disk was unmounted
 */
export async function drop({ source, to, options: { signal, dryRun }, counted, stuck }: Transfer, name: string): Promise<boolean> {
  throwIfAborted(signal);
  if ((await source.storage.stat(name)) !== null) return false;
  if ((await source.storage.stat(REPOSITORY_FILE)) === null) {
    throw refused(to, `${source.storage.address} is no repository any more, so what it does not have says nothing`, 'Look whether its disk is mounted, and its bucket there; the copy may be all that is left');
  }
  if (dryRun !== true && !(await deleteOrLeave({ storage: to, log: source.log }, name, stuck))) return false;
  counted.deleted += 1;
  return true;
}

/** Sizes by name. */
export async function sizesIn(storage: Storage, prefix: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { name, sizeBytes } of storage.list(prefix)) sizes.set(name, sizeBytes);
  return sizes;
}

/** Runs `work` for each item, some at once; the first failure ends it when all that run are through. */
export async function eachAtOnce<T>(items: AsyncIterable<T> | Iterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | null = null;
  for await (const item of items) {
    const one: Promise<void> = work(item).catch((error: unknown) => { failure ??= { error }; }).finally(() => running.delete(one));
    running.add(one);
    if (running.size >= atOnce) await Promise.race(running);
    if (failure !== null) break;
  }
  await Promise.all(running);
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
}
