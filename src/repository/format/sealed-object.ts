// Small objects, each sealed under its own salt and bound to its name (format document, section 6).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { damaged, newerFormat } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { DELTA_FORMAT_VERSION, FORMAT_VERSION } from './names.ts';

export const OBJECT_KINDS = { index: 1, snapshot: 2, fact: 3, session: 4, sessionEnd: 5, generation: 6, oplog: 7, dump: 8, bad: 9, missed: 10 } as const;
export type ObjectKind = keyof typeof OBJECT_KINDS;

/** What is known here, where that is more than the first version. */
const NEWEST: Partial<Record<ObjectKind, number>> = { index: DELTA_FORMAT_VERSION };

const MAGIC = Buffer.from('LVOB');
const HEADER_BYTES = 40;
const TAG_BYTES = 16;
const NONCE = Buffer.alloc(12);

export interface ObjectIdentity {
  readonly kind: ObjectKind;
  /** Full object name: an object moved elsewhere does not open. */
  readonly name: string;
  /** Of what is sealed, where a program has to know more than the first version to read it. */
  readonly version?: number;
}

/** The bytes of a new object; sealing the same payload (whole, or in parts) twice gives different bytes. */
export function sealObject(keys: RepositoryKeys, identity: ObjectIdentity, payload: Uint8Array | readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header[4] = identity.version ?? FORMAT_VERSION;
  header[5] = OBJECT_KINDS[identity.kind];
  randomBytes(32).copy(header, 8);
  const cipher = createCipheriv('aes-256-gcm', keys.objectKey(header.subarray(8)), NONCE).setAAD(aadOf(header, identity.name));
  const parts = payload instanceof Uint8Array ? [payload] : payload;
  return Buffer.concat([header, ...parts.map((part) => cipher.update(part)), cipher.final(), cipher.getAuthTag()]);
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function openObject(keys: RepositoryKeys, identity: ObjectIdentity, bytes: Buffer): Buffer {
  const { kind, name } = identity;
  if (bytes.length < HEADER_BYTES + TAG_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) throw damaged(name, 'it is not an object of a repository');
  const newest = NEWEST[kind] ?? FORMAT_VERSION;
  if (bytes.readUInt8(4) > newest) throw isOfKnownVersion(keys, identity, bytes, newest) ? damaged(name, 'the byte with its version was altered') : newerFormat(name, bytes.readUInt8(4), newest);
  if (bytes[5] !== OBJECT_KINDS[kind]) throw damaged(name, `it is not of the kind ${kind}`);
  const decipher = createDecipheriv('aes-256-gcm', keys.objectKey(bytes.subarray(8, HEADER_BYTES)), NONCE);
  decipher.setAAD(aadOf(bytes, name)).setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw damaged(name, 'its bytes were altered, or it belongs under another name or to another repository', cause);
  }
}

/** A newer object that opens as one of a version known here is of that version: its tag vouches for it, too. */
function isOfKnownVersion(keys: RepositoryKeys, identity: ObjectIdentity, bytes: Buffer, newest: number): boolean {
  for (let version = FORMAT_VERSION; version <= newest; version += 1) {
    const known = Buffer.from(bytes);
    known[4] = version;
    try {
      openObject(keys, identity, known);
      return true;
    } catch {
      // Newer, or damaged elsewhere, too: that can't be told.
    }
  }
  return false;
}

function aadOf(header: Uint8Array, name: string): Buffer {
  return Buffer.concat([header.subarray(0, 8), Buffer.from(name, 'utf8')]);
}
