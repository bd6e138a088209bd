// Key slots as a person handles them: listed, added, removed. docs/design/keys.md has the order in which a rotation does it.
import { randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../foundation/clock.ts';
import { describeError, LeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import type { RetryOptions, Storage } from '../storage/index.ts';
import { makeKeySlot, makePassphraseSlot, masterKeyIdOf, parseKeySlot } from './format/key-slot.ts';
import { idOfName, KEYS, keyName } from './format/names.ts';
import { assertPassphrase, KDF, stretch } from './format/passphrase.ts';
import { assertMasterKey } from './master-key.ts';
import { prepareStorage } from './prepare-storage.ts';
import { readObject, readObjectIfAny } from './read-object.ts';
import { findRepositoryKey, readRepositoryFile, slotOpener, type Opener } from './unlock.ts';

export interface KeySlotInfo {
  readonly id: string;
  readonly kind: 'master key' | 'passphrase' | 'unreadable';
  /** 16 hex digits that tell nothing about the key; null where no master key opens it. */
  readonly masterKeyId: string | null;
  /** ISO 8601; null where the slot can't be read. */
  readonly createdAt: string | null;
  /** With the key in hand; null: there was none. */
  readonly opens: boolean | null;
  /** Why it can't be read, or that it belongs to another repository. */
  readonly problem: string | null;
}

export interface KeySlots {
  /** Of repository.json. */
  readonly repositoryId: string;
  /** Oldest first. */
  list(): Promise<readonly KeySlotInfo[]>;
  /**
   * Adds a slot for another master key, unless one opens with it already. Proven: it was read back and opened.
   * @returns the id of a slot that opens with it
   */
  addMasterKey(masterKey: Uint8Array): Promise<{ readonly id: string; readonly added: boolean }>;
  /** @throws REPOSITORY_PASSPHRASE_WEAK */
  addPassphrase(passphrase: string): Promise<{ readonly id: string }>;
  /**
   * Deletes a slot, where the key in hand opens another one. `kept`: the store said yes and the slot is still there.
   * @throws REPOSITORY_SLOT_MISSING, REPOSITORY_SLOT_NEEDED; STORAGE_DENIED and others where the store refuses
   */
  remove(id: string): Promise<'removed' | 'kept'>;
  /** @throws REPOSITORY_SLOT_MISSING, REPOSITORY_SLOT_NEEDED as `remove` would */
  assertRemovable(id: string): Promise<KeySlotInfo>;
}

export interface KeySlotsOptions {
  readonly storage: Storage;
  /** What is in hand. */
  readonly opener: Opener;
  readonly clock?: Clock;
  readonly retry?: RetryOptions;
}

/** Unlocks the repository to handle its slots; the store stays the caller's to close. @throws as opening a repository */
export async function openKeySlots({ storage: plainStorage, opener, clock = systemClock, retry }: KeySlotsOptions): Promise<KeySlots> {
  const storage = prepareStorage(plainStorage, retry);
  const { file, repositoryKey } = await findRepositoryKey(storage, opener);

  /** Puts a slot and proves that the store gives back one that opens. */
  const put = async (id: string, bytes: Buffer, key: Opener): Promise<void> => {
    await storage.put(keyName(id), bytes);
    const opened = await slotOpener(file, key)(parseKeySlot(id, await readObject(storage, keyName(id))));
    if (opened?.equals(repositoryKey) !== true) throw new LeafvaultError('REPOSITORY_OBJECT_DAMAGED', `Adding the key slot ${id} failed: what the store gives back does not open`, { details: { object: keyName(id) } });
  };
  const newSlot = (): { readonly id: string; readonly createdAt: string } => ({ id: newId(), createdAt: clock.now().toISOString() });
  const list = (): Promise<readonly KeySlotInfo[]> => listSlots(storage, opener);

  const assertRemovable = async (id: string): Promise<KeySlotInfo> => {
    const slots = await list();
    const slot = slots.find((each) => each.id === id);
    if (slot === undefined) {
      throw new LeafvaultError('REPOSITORY_SLOT_MISSING', `Removing the key slot ${id} failed: there is none of that id`, { hint: '`leafvault keys list` names them' });
    }
    if (!slots.some((each) => each.id !== id && each.opens === true)) {
      throw new LeafvaultError('REPOSITORY_SLOT_NEEDED', `Removing the key slot ${id} was refused: no other one opens with the key in hand`, {
        hint: 'Without a slot that opens nobody can read the repository again: add one first, with `leafvault keys rotate` or `leafvault keys add-passphrase`, and use its key',
      });
    }
    return slot;
  };

  return {
    repositoryId: file.id,
    list,
    assertRemovable,
    async addMasterKey(masterKey) {
      assertMasterKey(masterKey);
      const known = (await listSlots(storage, masterKey)).find((slot) => slot.opens === true);
      if (known !== undefined) return { id: known.id, added: false };
      const slot = newSlot();
      await put(slot.id, makeKeySlot(file, slot, { masterKey, repositoryKey }), masterKey);
      return { id: slot.id, added: true };
    },
    async addPassphrase(passphrase) {
      assertPassphrase(passphrase);
      const slot = newSlot();
      const salt = randomBytes(32);
      const stretched = await stretch(passphrase, salt, KDF);
      await put(slot.id, makePassphraseSlot(file, slot, { stretched, salt, kdf: KDF, repositoryKey }), { passphrase });
      return { id: slot.id };
    },
    async remove(id) {
      await assertRemovable(id);
      await storage.delete(keyName(id));
      return (await readObjectIfAny(storage, keyName(id))) === null ? 'removed' : 'kept';
    },
  };
}

/** The id of a slot that opens with this key, proven by opening it. @throws as opening a repository */
export async function proveOpener(storage: Storage, opener: Opener, retry?: RetryOptions): Promise<{ readonly repositoryId: string; readonly slotId: string }> {
  const { file, slotId } = await findRepositoryKey(prepareStorage(storage, retry), opener);
  return { repositoryId: file.id, slotId };
}

/** From repository.json, without a key. @throws REPOSITORY_MISSING, REPOSITORY_OBJECT_DAMAGED */
export async function repositoryIdOf(storage: Storage): Promise<string> {
  return (await readRepositoryFile(storage)).id;
}

/** All slots, oldest first; with a key also which of them open with it. @throws REPOSITORY_MISSING, what the store throws */
export async function listSlots(storage: Storage, opener: Opener | null): Promise<readonly KeySlotInfo[]> {
  const file = await readRepositoryFile(storage);
  const open = opener === null ? null : slotOpener(file, opener);
  const slots: KeySlotInfo[] = [];
  for await (const { name } of storage.list(KEYS)) {
    const id = idOfName(name);
    const bytes = id === null ? null : await readObjectIfAny(storage, name);
    if (id !== null && bytes !== null) slots.push(await describeSlot(id, bytes)); // Null: removed meanwhile.
  }
  return slots.sort((a, b) => (`${a.createdAt ?? ''}${a.id}` < `${b.createdAt ?? ''}${b.id}` ? -1 : 1));

  async function describeSlot(id: string, bytes: Buffer): Promise<KeySlotInfo> {
    try {
      const slot = parseKeySlot(id, bytes);
      const foreign = slot.repositoryId !== file.id;
      return {
        id, kind: slot.kdf === null ? 'master key' : 'passphrase', masterKeyId: slot.kdf === null ? slot.masterKeyId : null, createdAt: slot.createdAt,
        opens: open === null ? null : (await open(slot)) !== null, problem: foreign ? 'it belongs to another repository: left by a beginning that was interrupted' : null,
      };
    } catch (error) {
      return { id, kind: 'unreadable', masterKeyId: null, createdAt: null, opens: open === null ? null : false, problem: describeError(error) };
    }
  }
}

export { masterKeyIdOf };
