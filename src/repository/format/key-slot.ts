// `keys/<id>`: the repository key, wrapped by a master key (format document, section 5).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readChecksummedJson, writeChecksummedJson } from './checksummed-json.ts';
import { damaged, newerFormat } from './damage.ts';
import { hkdf } from './keys.ts';
import { FORMAT_VERSION, keyName } from './names.ts';
import { parseRepositoryFile, type RepositoryFile } from './repository-file.ts';

export interface KeySlot {
  readonly name: string;
  readonly id: string;
  readonly masterKeyId: string;
  /** From its copy of `repository.json`. */
  readonly repositoryId: string;
  readonly salt: Buffer;
  readonly sealed: Buffer;
}

export interface SlotSecrets {
  readonly masterKey: Uint8Array;
  readonly repositoryKey: Uint8Array;
}

/** Which master key a slot was made for: 16 hex digits that tell nothing about the key. */
export function masterKeyIdOf(masterKey: Uint8Array): string {
  return hkdf(masterKey, Buffer.alloc(0), 'leafvault 1 master key id').toString('hex', 0, 8);
}

/** The bytes of a new slot. */
export function makeKeySlot(file: RepositoryFile, slot: { readonly id: string; readonly createdAt: string }, secrets: SlotSecrets): Buffer {
  const salt = randomBytes(32);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', wrappingKey(secrets.masterKey, salt), nonce).setAAD(slotAad(file, slot.id));
  const sealed = Buffer.concat([nonce, cipher.update(secrets.repositoryKey), cipher.final(), cipher.getAuthTag()]);
  return writeChecksummedJson({
    format: 'leafvault key', version: FORMAT_VERSION, id: slot.id, repository: file.bytes.toString('utf8'),
    masterKeyId: masterKeyIdOf(secrets.masterKey), createdAt: slot.createdAt, salt: salt.toString('base64'), sealed: sealed.toString('base64'),
  });
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function parseKeySlot(id: string, bytes: Buffer): KeySlot {
  const name = keyName(id);
  const { format, version, id: inside, repository, masterKeyId, salt, sealed } = readChecksummedJson(name, bytes);
  if (format !== 'leafvault key' || typeof version !== 'number') throw damaged(name, 'it is not a key slot');
  if (version > FORMAT_VERSION) throw newerFormat(name, version);
  if (inside !== id) throw damaged(name, 'it belongs under another name');
  if (typeof repository !== 'string' || typeof masterKeyId !== 'string' || typeof salt !== 'string' || typeof sealed !== 'string') throw damaged(name, 'a field is missing');
  const repositoryId = parseRepositoryFile(Buffer.from(repository)).id;
  return { name, id, masterKeyId, repositoryId, salt: Buffer.from(salt, 'base64'), sealed: Buffer.from(sealed, 'base64') };
}

/** The repository key, or null when this slot does not open (altered, or of another repository). */
export function openKeySlot(file: RepositoryFile, slot: KeySlot, masterKey: Uint8Array): Buffer | null {
  if (slot.sealed.length !== 12 + 32 + 16) return null;
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey(masterKey, slot.salt), slot.sealed.subarray(0, 12));
  decipher.setAAD(slotAad(file, slot.id)).setAuthTag(slot.sealed.subarray(44));
  try {
    return Buffer.concat([decipher.update(slot.sealed.subarray(12, 44)), decipher.final()]);
  } catch {
    return null; // The tag does not fit: the caller tries the other slots and reports if none opens.
  }
}

function wrappingKey(masterKey: Uint8Array, salt: Uint8Array): Buffer {
  return hkdf(masterKey, salt, 'leafvault 1 key slot');
}

function slotAad(file: RepositoryFile, slotId: string): Buffer {
  return Buffer.concat([Buffer.from(`leafvault 1 key slot ${file.id} ${slotId}`), file.descriptorHash]);
}
