// Sealed objects whose payload is JSON: roots, facts, sessions, generations.
import { damaged, newerFormat } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { FORMAT_VERSION } from './names.ts';
import { openObject, sealObject, type ObjectIdentity } from './sealed-object.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Adds `formatVersion` in front and seals. */
export function sealJson(keys: RepositoryKeys, identity: ObjectIdentity, body: JsonRecord): Buffer {
  return sealObject(keys, identity, Buffer.from(JSON.stringify({ formatVersion: FORMAT_VERSION, ...body })));
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function openJson(keys: RepositoryKeys, identity: ObjectIdentity, bytes: Buffer): JsonRecord {
  const parsed = parse(identity.name, openObject(keys, identity, bytes));
  const version = parsed['formatVersion'];
  if (typeof version !== 'number') throw damaged(identity.name, 'it names no format version');
  if (version > FORMAT_VERSION) throw newerFormat(identity.name, version);
  return parsed;
}

function parse(name: string, payload: Buffer): JsonRecord {
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null) return parsed as JsonRecord;
  } catch (cause) {
    throw damaged(name, 'it is not JSON', cause);
  }
  throw damaged(name, 'it is not a JSON object');
}
