// `keys/<id>`: the repository key, wrapped by a master key or a passphrase (format document, section 5).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readChecksummedJson, writeChecksummedJson } from './checksummed-json.ts';
import { damaged, newerFormat } from './damage.ts';
import { hkdf } from './keys.ts';
import { FORMAT_VERSION, keyName } from './names.ts';
import { parseKdf, type Kdf } from './passphrase.ts';
import { parseRepositoryFile, type RepositoryFile } from './repository-file.ts';

export interface KeySlot {
  readonly name: string;
  readonly id: string;
  /** `passphrase` in a slot that a passphrase opens. */
  readonly masterKeyId: string;
  /** How the passphrase is stretched; null: a master key opens it. */
  readonly kdf: Kdf | null;
  /** ISO 8601; empty where the slot does not say. */
  readonly createdAt: string;
  /** From its copy of `repository.json`. */
  readonly repositoryId: string;
  readonly salt: Buffer;
  readonly sealed: Buffer;
}

export interface SlotSecrets {
  readonly masterKey: Uint8Array;
  readonly repositoryKey: Uint8Array;
}

/** In the place of a master key's id: programs that know no passphrases pass the slot by. */
const BY_PASSPHRASE = 'passphrase';

/** Which master key a slot was made for: 16 hex digits that tell nothing about the key. */
export function masterKeyIdOf(masterKey: Uint8Array): string {
  return hkdf(masterKey, Buffer.alloc(0), 'leafvault 1 master key id').toString('hex', 0, 8);
}

/** What names a new slot. */
export interface NewSlot { readonly id: string; readonly createdAt: string }

/** The bytes of a new slot. */
export function makeKeySlot(file: RepositoryFile, slot: NewSlot, secrets: SlotSecrets): Buffer {
  const salt = randomBytes(32);
  const sealed = wrap(wrappingKey(secrets.masterKey, salt), slotAad(file, slot.id), secrets.repositoryKey);
  return slotBytes(file, slot, { masterKeyId: masterKeyIdOf(secrets.masterKey), createdAt: slot.createdAt, salt: salt.toString('base64'), sealed });
}

/** The same for a passphrase. @param stretched what `stretch` made of it with `kdf` and `salt` (32 bytes) */
export function makePassphraseSlot(
  file: RepositoryFile, slot: NewSlot, secrets: { readonly stretched: Uint8Array; readonly salt: Uint8Array; readonly kdf: Kdf; readonly repositoryKey: Uint8Array },
): Buffer {
  const { stretched, salt, kdf, repositoryKey } = secrets;
  const sealed = wrap(passphraseKey(stretched, salt), slotAad(file, slot.id, 'passphrase slot'), repositoryKey);
  return slotBytes(file, slot, { masterKeyId: BY_PASSPHRASE, createdAt: slot.createdAt, kdf, salt: Buffer.from(salt).toString('base64'), sealed });
}

function slotBytes(file: RepositoryFile, { id }: NewSlot, fields: Readonly<Record<string, unknown>>): Buffer {
  return writeChecksummedJson({ format: 'leafvault key', version: FORMAT_VERSION, id, repository: file.bytes.toString('utf8'), ...fields });
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function parseKeySlot(id: string, bytes: Buffer): KeySlot {
  const name = keyName(id);
  const { format, version, id: inside, repository, masterKeyId, createdAt, kdf, salt, sealed } = readChecksummedJson(name, bytes);
  if (format !== 'leafvault key' || typeof version !== 'number') throw damaged(name, 'it is not a key slot');
  if (version > FORMAT_VERSION) throw newerFormat(name, version);
  if (inside !== id) throw damaged(name, 'it belongs under another name');
  if (typeof repository !== 'string' || typeof masterKeyId !== 'string' || typeof salt !== 'string' || typeof sealed !== 'string') throw damaged(name, 'a field is missing');
  const repositoryId = repositoryIn(name, repository);
  return {
    name, id, masterKeyId, repositoryId, kdf: masterKeyId === BY_PASSPHRASE ? parseKdf(name, kdf) : null, createdAt: typeof createdAt === 'string' ? createdAt : '',
    salt: Buffer.from(salt, 'base64'), sealed: Buffer.from(sealed, 'base64'),
  };
}

function repositoryIn(name: string, copy: string): string {
  try {
    return parseRepositoryFile(Buffer.from(copy)).id;
  } catch (cause) {
    throw damaged(name, 'its copy of repository.json is none', cause);
  }
}

/** The repository key, or null when this slot does not open (altered, or of another repository). */
export function openKeySlot(file: RepositoryFile, slot: KeySlot, masterKey: Uint8Array): Buffer | null {
  return unwrap(wrappingKey(masterKey, slot.salt), slotAad(file, slot.id), slot.sealed);
}

/** The same for a slot of a passphrase. @param stretched what `stretch` made of it with the slot's `kdf` and `salt` */
export function openPassphraseSlot(file: RepositoryFile, slot: KeySlot, stretched: Uint8Array): Buffer | null {
  return unwrap(passphraseKey(stretched, slot.salt), slotAad(file, slot.id, 'passphrase slot'), slot.sealed);
}

function wrap(key: Uint8Array, aad: Uint8Array, repositoryKey: Uint8Array): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([nonce, cipher.update(repositoryKey), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function unwrap(key: Uint8Array, aad: Uint8Array, sealed: Buffer): Buffer | null {
  if (sealed.length !== 12 + 32 + 16) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(aad).setAuthTag(sealed.subarray(44));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, 44)), decipher.final()]);
  } catch {
    return null; // The tag does not fit: the caller tries the other slots and reports if none opens.
  }
}

function wrappingKey(masterKey: Uint8Array, salt: Uint8Array): Buffer {
  return hkdf(masterKey, salt, 'leafvault 1 key slot');
}

function passphraseKey(stretched: Uint8Array, salt: Uint8Array): Buffer {
  return hkdf(stretched, salt, 'leafvault 1 passphrase slot');
}

function slotAad(file: RepositoryFile, slotId: string, what = 'key slot'): Buffer {
  return Buffer.concat([Buffer.from(`leafvault 1 ${what} ${file.id} ${slotId}`), file.descriptorHash]);
}
