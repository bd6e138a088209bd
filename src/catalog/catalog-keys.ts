// The catalog's own key: 32 random bytes that seal its secrets, wrapped by each master key that opens it (docs/design/keys.md).
import { createHmac, randomBytes } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Clock } from '../foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { createSealer, type Sealer } from '../foundation/seal.ts';
import { HA1_PURPOSE, PRIVATE_KEY_PURPOSE } from './api-keys.ts';
import { URI_PURPOSE } from './clusters.ts';
import type { Tables } from './tables.ts';

/** A master key as the catalog knows it. */
export interface MasterKeyInHand {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** 16 hex digits that tell nothing about the key. */
  readonly id: string;
}

/** Which master keys open this catalog. */
export interface CatalogKeys {
  /** Oldest first. */
  list(): Promise<readonly { readonly masterKeyId: string; readonly createdAt: Date }[]>;
  /** From now on this master key opens the catalog as well; one that does already is let be. Proven: what was stored is read back and opened. */
  add(masterKey: MasterKeyInHand): Promise<void>;
  /** Whether this key opens the catalog, and gives the same secret as the one in hand. */
  opensWith(masterKey: MasterKeyInHand): Promise<boolean>;
  /**
   * This master key opens the catalog no more; one that is not there is no error.
   * @throws CATALOG_KEY_NEEDED where it is the key in hand, or the key in hand was taken away meanwhile
   */
  remove(masterKeyId: string): Promise<void>;
  /** Runs `work` while no other process of this catalog does, nor makes or removes a key. Some milliseconds of work, no more. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
}

const PURPOSE = 'catalog key';
const LEGACY_FINGERPRINT = 'masterKeyFingerprint';

/**
 * The catalog's secret, 32 bytes. The first master key that a catalog is opened with makes it; a catalog from before there was one
 * is brought over: all that was sealed with the master key is sealed with it.
 * @throws CATALOG_KEY_OTHER
 */
export async function unlockCatalog(db: Kysely<Tables>, clock: Clock, masterKey: MasterKeyInHand): Promise<Buffer> {
  const found = await read(db, masterKey);
  if (found !== null) return found;
  return db.transaction().execute(async (tx) => {
    await lock(tx);
    const faster = await read(tx, masterKey);
    if (faster !== null) return faster;
    const others = await tx.selectFrom('catalogKeys').select('masterKeyId').execute();
    const before = (await tx.selectFrom('settings').select('value').where('key', '=', LEGACY_FINGERPRINT).executeTakeFirst())?.value;
    if (others.length > 0 || (before !== undefined && before !== fingerprintOf(masterKey.bytes))) throw otherKey();
    const secret = randomBytes(32);
    if (before !== undefined) await sealAnew(tx, createSealer(masterKey.bytes), createSealer(secret));
    await insert(tx, clock, masterKey, secret);
    return secret;
  });
}

/**
 * What seals the secrets of the tables as they are: the catalog's secret, or the master key itself where they are of before there was one.
 * Changes nothing. @throws CATALOG_KEY_OTHER
 */
export async function findSecret(db: Kysely<Tables>, masterKey: MasterKeyInHand): Promise<Uint8Array> {
  if (await hasKeys(db)) return (await read(db, masterKey)) ?? raiseOther();
  const before = (await db.selectFrom('settings').select('value').where('key', '=', LEGACY_FINGERPRINT).executeTakeFirst())?.value;
  return before === undefined || before === fingerprintOf(masterKey.bytes) ? masterKey.bytes : raiseOther();
}

/**
 * For a catalog that is filled from a dump: the secret that its rows are to be sealed with, and that this master key will open.
 * @param db within the transaction that fills it
 */
export async function prepareSecret(db: Kysely<Tables>, clock: Clock, masterKey: MasterKeyInHand): Promise<Uint8Array> {
  if (await hasKeys(db)) {
    const secret = randomBytes(32);
    await insert(db, clock, masterKey, secret);
    return secret;
  }
  // Tables of before: `unlockCatalog` brings them over once they were migrated.
  await db.insertInto('settings').values({ key: LEGACY_FINGERPRINT, value: JSON.stringify(fingerprintOf(masterKey.bytes)) }).execute();
  return masterKey.bytes;
}

async function hasKeys(db: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('catalog_keys') is not null as there`.execute(db);
  return rows[0]?.there === true;
}

/** @param secret what `unlockCatalog` gave for `inHand`; null: no master key is in hand */
export function createCatalogKeys(db: Kysely<Tables>, clock: Clock, secret: Buffer, inHand: MasterKeyInHand | null): CatalogKeys {
  const opensWith = async (masterKey: MasterKeyInHand): Promise<boolean> => (await read(db, masterKey))?.equals(secret) === true;
  return {
    list: () => db.selectFrom('catalogKeys').select(['masterKeyId', 'createdAt']).orderBy('createdAt').orderBy('masterKeyId').execute(),
    opensWith,
    async add(masterKey) {
      await insert(db, clock, masterKey, secret);
      if (!(await opensWith(masterKey))) throw new LeafvaultError('CATALOG_KEY_OTHER', 'Adding the master key to the catalog failed: what was stored for it opens another secret');
    },
    exclusively: (work) => db.transaction().execute(async (tx) => {
      await lock(tx);
      return work();
    }),
    async remove(masterKeyId) {
      if (masterKeyId === inHand?.id) throw needed('it is the key in hand');
      await db.transaction().execute(async (tx) => {
        await lock(tx);
        if (inHand === null || (await read(tx, inHand)) === null) throw needed('the key in hand was taken away by another process');
        await tx.deleteFrom('catalogKeys').where('masterKeyId', '=', masterKeyId).execute();
      });
    },
  };
}

/** Of those that make, bring over or remove, one at a time. */
async function lock(tx: Kysely<Tables>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ' catalog keys', 0))`.execute(tx);
}

async function read(db: Kysely<Tables>, { bytes, id }: MasterKeyInHand): Promise<Buffer | null> {
  const row = await db.selectFrom('catalogKeys').select('sealed').where('masterKeyId', '=', id).executeTakeFirst();
  return row === undefined ? null : Buffer.from(createSealer(bytes).open(row.sealed, PURPOSE), 'base64');
}

async function insert(db: Kysely<Tables>, clock: Clock, { bytes, id }: MasterKeyInHand, secret: Buffer): Promise<void> {
  const sealed = createSealer(bytes).seal(secret.toString('base64'), PURPOSE);
  await db.insertInto('catalogKeys').values({ masterKeyId: id, sealed, createdAt: clock.now() }).onConflict((conflict) => conflict.doNothing()).execute();
}

/** Every sealed column there is; a new one has to come here too. */
async function sealAnew(tx: Kysely<Tables>, from: Sealer, to: Sealer): Promise<void> {
  const again = (sealed: string, purpose: string): string => {
    try {
      return to.seal(from.open(sealed, purpose), purpose);
    } catch (error) {
      // Altered before, so it opened with nothing: whoever uses it hears of it, as ever, and all others are not held up.
      if (isLeafvaultError(error, 'SEAL_BROKEN')) return sealed;
      throw error;
    }
  };
  for (const { id, uriSealed } of await tx.selectFrom('clusters').select(['id', 'uriSealed']).where('uriSealed', 'is not', null).execute()) {
    if (uriSealed !== null) await tx.updateTable('clusters').set({ uriSealed: again(uriSealed, URI_PURPOSE) }).where('id', '=', id).execute();
  }
  for (const { id, privateKeySealed, ha1Sealed } of await tx.selectFrom('apiKeys').select(['id', 'privateKeySealed', 'ha1Sealed']).execute()) {
    await tx.updateTable('apiKeys')
      .set({ privateKeySealed: privateKeySealed === null ? null : again(privateKeySealed, PRIVATE_KEY_PURPOSE), ha1Sealed: again(ha1Sealed, HA1_PURPOSE) }).where('id', '=', id).execute();
  }
}

/** How catalogs told master keys apart before they had a key of their own. */
function fingerprintOf(bytes: Uint8Array): string {
  return createHmac('sha256', bytes).update('leafvault master key fingerprint v1').digest('hex').slice(0, 32);
}

function raiseOther(): never {
  throw otherKey();
}

function otherKey(): LeafvaultError {
  return new LeafvaultError('CATALOG_KEY_OTHER', 'Opening the catalog was refused: this master key does not open it');
}

function needed(why: string): LeafvaultError {
  return new LeafvaultError('CATALOG_KEY_NEEDED', `Taking a master key from the catalog was refused: ${why}`, {
    hint: 'Run it with a master key that opens the catalog and is to stay; `leafvault keys list` shows them',
  });
}
