// Nonces that carry their own age: 6 bytes of time, 6 random bytes, 12 bytes of HMAC; 32 base64 characters
// like Atlas's. Any process with the key can read them, so they need no table until they are used.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const BODY_BYTES = 12;
const MAC_BYTES = 12;
const SHAPE = /^[A-Za-z0-9+/]{32}$/;

/** A fresh nonce of this instant. */
export function issueNonce(key: Buffer, now: Date): string {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUIntBE(now.getTime(), 0, 6);
  randomBytes(6).copy(body, 6);
  return Buffer.concat([body, macOf(key, body)]).toString('base64');
}

/** When a nonce was issued, or null when it is not ours. */
export function readNonce(key: Buffer, nonce: string): Date | null {
  if (!SHAPE.test(nonce)) return null;
  const bytes = Buffer.from(nonce, 'base64');
  const body = bytes.subarray(0, BODY_BYTES);
  if (!timingSafeEqual(macOf(key, body), bytes.subarray(BODY_BYTES))) return null;
  return new Date(body.readUIntBE(0, 6));
}

function macOf(key: Buffer, body: Buffer): Buffer {
  return createHmac('sha256', key).update(body).digest().subarray(0, MAC_BYTES);
}
