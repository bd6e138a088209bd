// The signed address of a download: whoever holds the path may fetch, so the path holds a secret that only this
// installation can make, and nothing of it is stored.
import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';

/** Both forms of an address, below the public URL: a path that holds the secret, and one whose secret goes into the `Authorization` header of whoever fetches. */
export interface DownloadPaths { readonly path: string; readonly bearer: { readonly path: string; readonly value: string } }

/** The paths hold the restore's id, the secret or none, and the file. @param key made once: of its bytes Node makes one anew at each call, at five times the cost of the signature */
export function downloadPaths(key: KeyObject, restoreId: string, fileName: string): DownloadPaths {
  const value = secretOf(key, restoreId);
  return { path: `/backup/restore/v2/pull/${restoreId}/${value}/${fileName}`, bearer: { path: `/backup/restore/v3/pull/${restoreId}/${fileName}`, value } };
}

/** Constant time for secrets of the right length. */
export function isDownloadSecret(key: KeyObject, restoreId: string, secret: string): boolean {
  const [expected, given] = [Buffer.from(secretOf(key, restoreId)), Buffer.from(secret)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function secretOf(key: KeyObject, restoreId: string): string {
  return createHmac('sha256', key).update(`download ${restoreId}`).digest('base64url');
}
