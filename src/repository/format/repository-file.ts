// `repository.json` (format document, section 4).
import { createHash } from 'node:crypto';
import { isId } from '../../foundation/ids.ts';
import { readChecksummedJson, writeChecksummedJson } from './checksummed-json.ts';
import { damaged, newerFormat } from './damage.ts';
import { FORMAT_VERSION, REPOSITORY_FILE } from './names.ts';

export interface RepositoryFile {
  readonly id: string;
  readonly createdAt: string;
  /** The whole file, as stored. */
  readonly bytes: Buffer;
  /** SHA-256 of the whole file: bound into every key slot. */
  readonly descriptorHash: Buffer;
}

export function makeRepositoryFile(id: string, createdAt: string): RepositoryFile {
  const bytes = writeChecksummedJson({ format: 'leafvault repository', version: FORMAT_VERSION, id, createdAt });
  return { id, createdAt, bytes, descriptorHash: createHash('sha256').update(bytes).digest() };
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function parseRepositoryFile(bytes: Buffer): RepositoryFile {
  const { format, version, id, createdAt } = readChecksummedJson(REPOSITORY_FILE, bytes);
  if (format !== 'leafvault repository' || typeof version !== 'number') throw damaged(REPOSITORY_FILE, 'it does not describe a Leafvault repository');
  if (version > FORMAT_VERSION) throw newerFormat(REPOSITORY_FILE, version);
  if (!isId(id) || typeof createdAt !== 'string') throw damaged(REPOSITORY_FILE, 'its id or date is missing');
  return { id, createdAt, bytes, descriptorHash: createHash('sha256').update(bytes).digest() };
}
