// The signed address of a download: whoever holds the path may fetch, so the path holds a secret that only this
// installation can make, and nothing of it is stored.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** The path below the public URL; the restore's id, the secret, the file. */
export function downloadPath(key: Buffer, restoreId: string, fileName: string): string {
  return `/backup/restore/v2/pull/${restoreId}/${secretOf(key, restoreId)}/${fileName}`;
}

/** The other form: the path holds no secret, which goes into the `Authorization` header of whoever fetches. */
export function bearerOfDownload(key: Buffer, restoreId: string, fileName: string): { readonly path: string; readonly value: string } {
  return { path: `/backup/restore/v3/pull/${restoreId}/${fileName}`, value: secretOf(key, restoreId) };
}

/** Constant time for secrets of the right length. */
export function isDownloadSecret(key: Buffer, restoreId: string, secret: string): boolean {
  const [expected, given] = [Buffer.from(secretOf(key, restoreId)), Buffer.from(secret)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function secretOf(key: Buffer, restoreId: string): string {
  return createHmac('sha256', key).update(`download ${restoreId}`).digest('base64url');
}
