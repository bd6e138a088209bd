// Identifiers: 24 hex digits everywhere (design section 2).
import { createHash, randomBytes } from 'node:crypto';

const ID = /^[0-9a-f]{24}$/;

/** A fresh id: 4 bytes of time (so that ids sort by age), 8 random bytes. */
export function newId(now: Date = new Date()): string {
  const head = Math.floor(now.getTime() / 1000).toString(16).padStart(8, '0').slice(-8);
  return head + randomBytes(8).toString('hex');
}

/** The same for the same text, for ever: for what has no row of its own. */
export function derivedId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

/** True for 24 lower-case hex digits. */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && ID.test(text);
}
