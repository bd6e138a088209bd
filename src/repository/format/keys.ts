// Every key of a repository, derived from its one secret (format document, section 3).
import { hkdfSync } from 'node:crypto';

export interface RepositoryKeys {
  /** Secret of the chunk ids. */
  readonly chunkId: Buffer;
  /** Handed to the engine for cuts and document hashes. */
  readonly hashSeed: Buffer;
  packKey(salt: Uint8Array): Buffer;
  objectKey(salt: Uint8Array): Buffer;
}

const NO_SALT = Buffer.alloc(0);

/** @param repositoryKey 32 bytes */
export function deriveKeys(repositoryKey: Uint8Array): RepositoryKeys {
  return {
    chunkId: hkdf(repositoryKey, NO_SALT, 'leafvault 1 chunk id'),
    hashSeed: hkdf(repositoryKey, NO_SALT, 'leafvault 1 hash seed'),
    packKey: (salt) => hkdf(repositoryKey, salt, 'leafvault 1 pack'),
    objectKey: (salt) => hkdf(repositoryKey, salt, 'leafvault 1 object'),
  };
}

/** HKDF-SHA-256 to 32 bytes. */
export function hkdf(key: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, 32));
}
