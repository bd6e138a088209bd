// Sealing of stored secrets (connection strings, private keys) with the master key.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { LeafvaultError } from './errors.ts';

export interface Sealer {
  /** Sealed text, bound to `purpose`: opening under another purpose fails. */
  seal(plain: string, purpose: string): string;
  /** @throws LeafvaultError SEAL_BROKEN when the text was altered or sealed with another key. */
  open(sealed: string, purpose: string): string;
}

/** @param masterKey 32 bytes */
export function createSealer(masterKey: Uint8Array): Sealer {
  const key = Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), 'leafvault catalog seal v1', 32));
  return {
    seal(plain, purpose) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
    },
    open(sealed, purpose) {
      try {
        const bytes = Buffer.from(sealed.slice(3), 'base64url');
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(purpose));
        decipher.setAuthTag(bytes.subarray(12, 28));
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new LeafvaultError('SEAL_BROKEN', `Opening the sealed ${purpose} failed: it was altered or sealed with another master key`, {
          cause,
          hint: 'Start Leafvault with the master key that this catalog was made with',
        });
      }
    },
  };
}
