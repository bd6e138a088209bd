// A new master key takes the place of the old one. docs/design/keys.md, section 2, has the steps and what a crash leaves at each.
import type { CatalogKeys } from '../catalog/index.ts';
import { describeError, isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { carrySlots, openKeySlots, proveOpener } from '../repository/index.ts';
import type { RetryOptions, Storage } from '../storage/index.ts';
import { keyFiles, newKeyFile, newMasterKey, oldKeyFile, type KeyFiles } from './key-files.ts';
import type { MasterKey } from './master-key.ts';

/** What a key opens of the catalog. */
export interface OpenedCatalog {
  readonly secret: Buffer;
  readonly masterKeys: CatalogKeys;
  close(): Promise<void>;
}

export interface KeyPlace {
  /** Of the key file. */
  readonly path: string;
  readonly storage: Storage;
  /** Second copies: none may be left with a key that is retired alone. */
  readonly copies?: readonly Storage[];
  /** @throws MASTER_KEY_OTHER where the key does not open it */
  readonly openCatalog: (key: MasterKey) => Promise<OpenedCatalog>;
  readonly files?: KeyFiles;
  readonly retry?: RetryOptions;
}

export interface RotateOptions extends KeyPlace {
  /** Begins no new rotation: ends one that was begun, and retires old keys where that is asked. */
  readonly resume?: boolean;
  readonly removeOldSlot?: boolean;
}

export interface RotationReport {
  /** `ended`: there was nothing to go on with. */
  readonly outcome: 'rotated' | 'resumed' | 'ended';
  readonly masterKeyId: string;
  /** Of the new key; null where nothing was rotated. */
  readonly slotId: string | null;
  /** Files of old keys that are still good. */
  readonly oldKeyFiles: readonly string[];
  readonly retired: readonly RetiredKey[];
  /** Second copies that the key in hand does not open yet; they do after the next run of a copier. */
  readonly copiesBehind: readonly CopyBehind[];
}

export interface CopyBehind {
  readonly address: string;
  readonly reason: string;
}

export interface RetiredKey {
  readonly masterKeyId: string;
  readonly slots: readonly RetiredSlot[];
}

export interface RetiredSlot {
  readonly id: string;
  /** `refused`: the store does not let it go, as under an object lock; `kept`: it said yes and the slot is still there. */
  readonly outcome: 'removed' | 'kept' | 'refused';
  readonly reason: string | null;
}

/**
 * Struck anywhere, it leaves a key file that opens repository and catalog, and can be run again.
 * @throws MASTER_KEY_UNREADABLE, MASTER_KEY_OTHER, MASTER_KEY_ROTATED, and what repository, catalog and store throw
 */
export async function rotateMasterKey(options: RotateOptions): Promise<RotationReport> {
  const { path, files = keyFiles, resume = false, removeOldSlot = false } = options;
  await files.removeLeavings(path);
  const held = await heldKey(path, files);
  const pending = await pendingKey(path, files);
  const swapped = resume && pending === null ? null : await swapKeys(options, held, pending);
  // What the file holds now counts, not what this process remembers.
  const now = await heldKey(path, files);
  const catalog = await prove(options, now);
  try {
    const copiesBehind = await bringToCopies(options, now);
    const old = (await files.oldOnes(path)).filter((id) => id !== now.id);
    const retired: RetiredKey[] = [];
    for (const id of removeOldSlot ? old : []) retired.push(await retireMasterKey(options, { inHand: now, catalog }, id));
    return {
      outcome: swapped === null ? 'ended' : pending === null ? 'rotated' : 'resumed', masterKeyId: now.id, slotId: swapped,
      oldKeyFiles: removeOldSlot ? [] : old.map((id) => oldKeyFile(path, id)), retired, copiesBehind,
    };
  } finally {
    await catalog.close();
  }
}

/** Steps 1 to 6. @returns the new key's slot */
async function swapKeys(place: KeyPlace, held: MasterKey, pending: MasterKey | null): Promise<string> {
  const { path, storage, files = keyFiles, retry } = place;
  const slots = await openKeySlots({ storage, opener: held.bytes, ...(retry === undefined ? {} : { retry }) });
  const catalog = await place.openCatalog(held);
  try {
    const fresh = pending ?? (await makeNewKey(path, files));
    const { id } = await slots.addMasterKey(fresh.bytes);
    await catalog.masterKeys.add(fresh);
    await (await prove(place, fresh, catalog.secret)).close();
    await catalog.masterKeys.exclusively(() => swapFiles(path, files, held, fresh));
    return id;
  } finally {
    await catalog.close();
  }
}

/** Of two rotations at once the slower one takes the key of the faster one. */
async function makeNewKey(path: string, files: KeyFiles): Promise<MasterKey> {
  const made = newMasterKey();
  if (await files.write(newKeyFile(path), made, path)) return made;
  return (await files.read(newKeyFile(path))) ?? rotatedMeanwhile(path);
}

async function swapFiles(path: string, files: KeyFiles, held: MasterKey, fresh: MasterKey): Promise<void> {
  const now = await files.read(path);
  const waits = (await files.read(newKeyFile(path)))?.id === fresh.id;
  if (now?.id === fresh.id) { // The other one of two was faster, or somebody copied the file by hand.
    if (waits) await files.remove(newKeyFile(path));
    return;
  }
  if (now?.id !== held.id || !waits) return rotatedMeanwhile(path);
  await files.write(oldKeyFile(path, held.id), held, path);
  await files.replace(newKeyFile(path), path);
}

/** Opens repository and catalog with the key, from what store and database give back now. @param secret what the catalog has to give */
async function prove({ storage, openCatalog, retry }: KeyPlace, key: MasterKey, secret?: Buffer): Promise<OpenedCatalog> {
  await proveOpener(storage, key.bytes, retry);
  const catalog = await openCatalog(key);
  if (secret === undefined || catalog.secret.equals(secret)) return catalog;
  await catalog.close();
  throw new LeafvaultError('MASTER_KEY_OTHER', 'Proving the new master key failed: it opens another secret of the catalog than the old one', { hint: 'Nothing was changed for processes that start: the key file holds the old key' });
}

/**
 * This key opens nothing any more: first the catalog, then its slots; last its file goes.
 * @param proven the key in hand and the catalog that it opened
 * @throws REPOSITORY_SLOT_NEEDED, CATALOG_KEY_NEEDED, MASTER_KEY_COPY_BEHIND, and what the store throws but for a refusal, which is told in the answer
 */
export async function retireMasterKey(place: KeyPlace, proven: { readonly inHand: MasterKey; readonly catalog: OpenedCatalog }, masterKeyId: string): Promise<RetiredKey> {
  const { path, storage, files = keyFiles, retry } = place;
  const keySlots = await openKeySlots({ storage, opener: proven.inHand.bytes, ...(retry === undefined ? {} : { retry }) });
  const going = (await keySlots.list()).filter((slot) => slot.masterKeyId === masterKeyId);
  for (const { id } of going) await keySlots.assertRemovable(id);
  assertCopiesOpen(await bringToCopies(place, proven.inHand), masterKeyId);
  await proven.catalog.masterKeys.remove(masterKeyId);
  const slots: RetiredSlot[] = [];
  for (const { id } of going) slots.push(await removeOrTell(keySlots, id));
  // As long as a slot stays the file does, too: it is what a later try finds the key by.
  if (slots.every(({ outcome }) => outcome === 'removed')) await files.remove(oldKeyFile(path, masterKeyId));
  return { masterKeyId, slots };
}

/** The slots of this key go to every copy that answers. @returns the others */
async function bringToCopies({ storage, copies = [], retry }: KeyPlace, { bytes }: MasterKey): Promise<readonly CopyBehind[]> {
  const behind: CopyBehind[] = [];
  for (const to of copies) {
    await carrySlots({ from: storage, to, masterKey: bytes, retry }).catch((error: unknown) => behind.push({ address: to.address, reason: describeError(error) }));
  }
  return behind;
}

/** Should the first store be lost then, such a copy could be read with the retired key alone. */
function assertCopiesOpen(behind: readonly CopyBehind[], masterKeyId: string): void {
  const [first] = behind;
  if (first === undefined) return;
  const addresses = behind.map(({ address }) => address);
  throw new LeafvaultError('MASTER_KEY_COPY_BEHIND', `Retiring the master key ${masterKeyId} was refused: the copy in ${addresses.join(', ')} does not open with the key in hand (${first.reason})`, {
    hint: 'Both keys are good as before. Bring the copy within reach, run `leafvault copy`, and this command again; take a copy that is gone for good out of repository.copies', details: { copies: addresses },
  });
}

/** A refusal for good is an answer; a store that is away is a failure. */
export async function removeOrTell(keySlots: Awaited<ReturnType<typeof openKeySlots>>, id: string): Promise<RetiredSlot> {
  try {
    return { id, outcome: await keySlots.remove(id), reason: null };
  } catch (error) {
    if (!isLeafvaultError(error) || error.retryable || !error.code.startsWith('STORAGE_')) throw error;
    return { id, outcome: 'refused', reason: describeError(error) };
  }
}

/** Of a rotation that was begun. */
async function pendingKey(path: string, files: KeyFiles): Promise<MasterKey | null> {
  try {
    return await files.read(newKeyFile(path));
  } catch (cause) {
    if (!isLeafvaultError(cause, 'MASTER_KEY_DAMAGED')) throw cause;
    throw new LeafvaultError('MASTER_KEY_DAMAGED', `Going on with the rotation failed: ${newKeyFile(path)} does not hold a whole key`, {
      cause, hint: 'Nothing rests on that file before it takes the place of the key file: remove it, and run `leafvault keys rotate` again',
    });
  }
}

async function heldKey(path: string, files: KeyFiles): Promise<MasterKey> {
  return (await files.read(path)) ?? missing(path);
}

function missing(path: string): never {
  throw new LeafvaultError('MASTER_KEY_UNREADABLE', `Reading the master key ${path} failed: there is no such file`, {
    hint: 'Name it with --master-key-file, or write the recovery key into it (chmod 600)',
  });
}

function rotatedMeanwhile(path: string): never {
  throw new LeafvaultError('MASTER_KEY_ROTATED', `Changing the master key ${path} was given up: another rotation changed it meanwhile`, {
    hint: 'The key file is good as it is; `leafvault keys list` shows what opens the repository',
  });
}
