// `copy.json`: says that a store holds a copy, and of which repository (format document, section 19).
import { readChecksummedJson, writeChecksummedJson } from './checksummed-json.ts';
import { damaged, newerFormat } from './damage.ts';
import { COPY_FILE, FORMAT_VERSION } from './names.ts';

export function makeCopyFile(repositoryId: string, createdAt: string): Buffer {
  return writeChecksummedJson({ format: 'leafvault copy', version: FORMAT_VERSION, repository: repositoryId, createdAt });
}

/** @returns the id of the repository @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function parseCopyFile(bytes: Buffer): string {
  const { format, version, repository } = readChecksummedJson(COPY_FILE, bytes);
  if (format !== 'leafvault copy' || typeof version !== 'number' || typeof repository !== 'string') throw damaged(COPY_FILE, 'it does not mark a copy');
  if (version > FORMAT_VERSION) throw newerFormat(COPY_FILE, version);
  return repository;
}
