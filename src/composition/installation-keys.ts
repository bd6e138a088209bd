// The keys of an installation as `leafvault keys` handles them: slots in the store, rows in the catalog, files beside.
import { open } from 'node:fs/promises';
import type { Config } from '../config/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { listSlots, openKeySlots, openRepository, proveOpener, repositoryIdOf, type KeySlotInfo, type Opener } from '../repository/index.ts';
import { masterKeyFrom } from '../services/index.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import { keyFiles, newKeyFile, newMasterKey, oldKeyFile, realKeyFile } from './key-files.ts';
import { loadMasterKey, masterKeyOf, type MasterKey } from './master-key.ts';
import { kitAsHtml, readKit, writeKit } from './recovery-kit.ts';
import { removeOrTell, retireMasterKey, rotateMasterKey, type KeyPlace, type OpenedCatalog, type RetiredSlot, type RotationReport } from './rotate-master-key.ts';

export interface KeysReport {
  readonly repositoryId: string;
  /** 16 hex digits; null where a passphrase is in hand, or nothing. */
  readonly masterKeyId: string | null;
  readonly slots: readonly KeySlotInfo[];
  /** Files of keys that were replaced and not retired. */
  readonly oldKeyFiles: readonly string[];
  /** A rotation was begun and not ended. */
  readonly rotationBegun: boolean;
}

export interface KitTest {
  readonly repositoryId: string;
  readonly store: string;
  readonly slotId: string;
  readonly snapshots: number;
  /** ISO 8601; the newest snapshot of the repository; null without one. */
  readonly newest: string | null;
  /** Slots of other master keys that were made after that of the kit: it may be out of date. */
  readonly newerSlots: readonly string[];
}

export interface InstallationKeys {
  /** With a passphrase, or with the key file where there is one; a key that opens nothing is told by `opens` of the slots. */
  list(passphrase: string | null): Promise<KeysReport>;
  test(opener: { readonly passphrase: string } | { readonly recoveryKey: string } | null): Promise<{ readonly repositoryId: string; readonly slotId: string }>;
  rotate(options: { readonly resume: boolean; readonly removeOldSlot: boolean }): Promise<RotationReport>;
  /** Adds a slot that this passphrase opens. @throws REPOSITORY_PASSPHRASE_WEAK */
  addPassphrase(passphrase: string): Promise<{ readonly id: string }>;
  /** Makes a key file where there is none, and a slot that it opens. The catalog knows nothing of it. */
  addKeyFile(path: string, passphrase: string | null): Promise<{ readonly id: string; readonly added: boolean; readonly made: boolean }>;
  /** A master key's last slot takes its row of the catalog along. @throws REPOSITORY_SLOT_MISSING, REPOSITORY_SLOT_NEEDED, MASTER_KEY_COPY_BEHIND, MASTER_KEY_UNREADABLE */
  remove(id: string, passphrase: string | null): Promise<RetiredSlot>;
  /** The page, proven to open the repository now. */
  kit(form: 'text' | 'html'): Promise<string>;
  /** Makes a file of mode 0600 where there is none. @throws RECOVERY_KIT_UNREADABLE */
  writeKitFile(path: string, page: string): Promise<void>;
  /** With what stands on the page alone. @param store instead of the one on the page @param tempDir for the local index */
  testKit(page: string, options: { readonly store: string | null; readonly tempDir: string }): Promise<KitTest>;
  close(): Promise<void>;
}

export interface InstallationKeysOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly openCatalog: (key: MasterKey) => Promise<OpenedCatalog>;
}

export function createInstallationKeys({ config, clock, openCatalog }: InstallationKeysOptions): InstallationKeys {
  let opened: Storage | null = null;
  const storage = (): Storage => (opened ??= openStorage(config.repositoryStore));
  let openedCopies: readonly Storage[] | null = null;
  const copies = (): readonly Storage[] => (openedCopies ??= config.repositoryCopies.map((address) => openStorage(address)));
  const held = (): Promise<MasterKey> => loadMasterKey(config.masterKeyFile, { make: false });
  const openerOf = async (passphrase: string | null): Promise<Opener> => (passphrase === null ? (await held()).bytes : { passphrase });
  const place = async (): Promise<KeyPlace> => ({ path: await realKeyFile(config.masterKeyFile), storage: storage(), copies: copies(), openCatalog });

  return {
    async list(passphrase) {
      const path = await realKeyFile(config.masterKeyFile);
      const key = passphrase === null ? await keyFiles.read(path) : null;
      const old = key === null ? [] : (await keyFiles.oldOnes(path)).filter((id) => id !== key.id);
      return {
        repositoryId: await repositoryIdOf(storage()), masterKeyId: key?.id ?? null,
        slots: await listSlots(storage(), passphrase === null ? (key?.bytes ?? null) : { passphrase }),
        oldKeyFiles: old.map((id) => oldKeyFile(path, id)),
        rotationBegun: key !== null && (await keyFiles.read(newKeyFile(path))) !== null,
      };
    },
    async test(opener) {
      if (opener === null) return proveOpener(storage(), (await held()).bytes);
      return proveOpener(storage(), 'passphrase' in opener ? opener : masterKeyFrom(opener.recoveryKey));
    },
    rotate: async (options) => rotateMasterKey({ ...(await place()), ...options }),
    async addPassphrase(passphrase) {
      return (await openKeySlots({ storage: storage(), opener: (await held()).bytes, clock })).addPassphrase(passphrase);
    },
    async addKeyFile(other, passphrase) {
      const slots = await openKeySlots({ storage: storage(), opener: await openerOf(passphrase), clock });
      const made = await keyFiles.write(other, newMasterKey());
      const key = await loadMasterKey(other, { make: false });
      return { ...(await slots.addMasterKey(key.bytes)), made };
    },
    async remove(id, passphrase) {
      const slots = await openKeySlots({ storage: storage(), opener: await openerOf(passphrase), clock });
      const { kind, masterKeyId } = await slots.assertRemovable(id);
      const isLastOfItsKey = kind === 'master key' && (await slots.list()).filter((slot) => slot.masterKeyId === masterKeyId).length === 1;
      if (!isLastOfItsKey || masterKeyId === null) return removeOrTell(slots, id);
      // The catalog tells two that remove each other's keys apart; so this takes a master key, and not a passphrase alone.
      const inHand = await held();
      const catalog = await openCatalog(inHand);
      try {
        const { slots: retired } = await retireMasterKey(await place(), { inHand, catalog }, masterKeyId);
        return retired.find((slot) => slot.id === id) ?? { id, outcome: 'removed', reason: null };
      } finally {
        await catalog.close();
      }
    },
    async kit(form) {
      const key = await held();
      const { repositoryId } = await proveOpener(storage(), key.bytes);
      const text = writeKit({ recoveryKey: key.recoveryKey, masterKeyId: key.id, repositoryId, store: storage().address, madeAt: clock.now() });
      return form === 'html' ? kitAsHtml(text) : text;
    },
    async writeKitFile(file, page) {
      try {
        const handle = await open(file, 'wx', 0o600);
        await handle.writeFile(page).then(() => handle.sync()).finally(() => handle.close());
      } catch (cause) {
        throw new LeafvaultError('RECOVERY_KIT_UNREADABLE', `Writing the recovery kit to ${file} failed`, { cause, hint: 'Name a file that does not exist yet, in a folder that this user may write to' });
      }
    },
    testKit: (page, options) => testKit(page, { ...options, clock }),
    async close() {
      for (const store of [opened, ...(openedCopies ?? [])]) await store?.close();
    },
  };
}

async function testKit(page: string, { store, tempDir, clock }: { readonly store: string | null; readonly tempDir: string; readonly clock: Clock }): Promise<KitTest> {
  const kit = readKit(page);
  const key = masterKeyOf(masterKeyFrom(kit.recoveryKey));
  const storage = openStorage(store ?? kit.store);
  try {
    const { repositoryId, slotId } = await proveOpener(storage, key.bytes);
    if (repositoryId !== kit.repositoryId) {
      throw new LeafvaultError('REPOSITORY_OTHER', `Testing the recovery kit failed: it was made for the repository ${kit.repositoryId}, and ${storage.address} holds ${repositoryId}`, { hint: 'Print a kit of this repository, or name the store of the other one with --repository-store' });
    }
    const slots = await listSlots(storage, key.bytes);
    const made = slots.filter(({ opens }) => opens === true).map(({ createdAt }) => createdAt ?? '').sort().at(-1) ?? '';
    const newerSlots = slots.filter((slot) => slot.kind === 'master key' && slot.problem === null && slot.opens !== true && (slot.createdAt ?? '') > made).map(({ id }) => id);
    const repository = await openRepository({ storage, masterKey: key.bytes, tempDir, clock, threads: 0 });
    try {
      const times: string[] = [];
      for await (const { createdAt } of repository.listSnapshots()) times.push(createdAt);
      return { repositoryId, store: storage.address, slotId, snapshots: times.length, newest: times.sort().at(-1) ?? null, newerSlots };
    } finally {
      await repository.close();
    }
  } finally {
    await storage.close();
  }
}
