// `catalog/<dump id>/…`: parts and the manifest that makes them a dump (format document, section 18).
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { Dump, DumpObject } from '../dumps/dumps.ts';
import { isCount, isDigest, isRecord, MAX_SEQUENCE } from './chain-fields.ts';
import { damaged } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { dumpManifestName } from './names.ts';
import { openJson, sealJson } from './sealed-json.ts';
import { openObject, sealObject } from './sealed-object.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3 };
const MOST_RAW_BYTES = 64 * 1024 * 1024;

/** One zstd frame, sealed. */
export async function sealDumpPart(keys: RepositoryKeys, name: string, raw: Uint8Array): Promise<Buffer> {
  if (raw.length > MOST_RAW_BYTES) throw new RangeError(`A part of a dump has ${raw.length} bytes, ${MOST_RAW_BYTES} is the most`);
  return sealObject(keys, { kind: 'dump', name }, await compress(raw, { params: PARAMS }));
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function openDumpPart(keys: RepositoryKeys, name: string, bytes: Buffer): Promise<Buffer> {
  const frame = openObject(keys, { kind: 'dump', name }, bytes);
  try {
    return await decompress(frame, { maxOutputLength: MOST_RAW_BYTES });
  } catch (cause) {
    throw damaged(name, 'its data do not decompress', cause);
  }
}

export function sealDumpManifest(keys: RepositoryKeys, { id, createdAt, parts, rawBytes, storedBytes, sha256, body }: Dump): Buffer {
  return sealJson(keys, { kind: 'dump', name: dumpManifestName(id) }, { id, createdAt, parts, rawBytes, storedBytes, sha256, body });
}

/** In the place of a manifest: a writer that was taken for dead can never put its own. */
export function sealDumpFence(keys: RepositoryKeys, id: string): Buffer {
  return sealJson(keys, { kind: 'dump', name: dumpManifestName(id) }, { id, fenced: true });
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function openDumpManifest(keys: RepositoryKeys, dumpId: string, bytes: Buffer): DumpObject {
  const name = dumpManifestName(dumpId);
  const object = openJson(keys, { kind: 'dump', name }, bytes);
  if (object['id'] !== dumpId) throw damaged(name, 'it belongs under another name');
  if (object['fenced'] === true) return { fenced: true };
  const { createdAt, parts, rawBytes, storedBytes, sha256, body } = object as unknown as Dump;
  if (typeof createdAt !== 'string' || !isCount(parts) || parts > MAX_SEQUENCE || !isCount(rawBytes) || !isCount(storedBytes) || !isDigest(sha256) || !isRecord(body)) {
    throw damaged(name, 'it lacks a field, or one has a value that cannot be');
  }
  return { id: dumpId, createdAt, parts, rawBytes, storedBytes, sha256, body };
}
