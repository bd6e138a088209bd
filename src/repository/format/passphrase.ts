// Passphrases: which are taken, and how one becomes 32 bytes (format document, section 5).
import { scrypt } from 'node:crypto';
import { LeafvaultError } from '../../foundation/errors.ts';
import { damaged } from './damage.ts';

/** Parameters of scrypt as they stand in a slot; `n` is the cost, a power of two. */
export interface Kdf { readonly name: 'scrypt'; readonly n: number; readonly r: number; readonly p: number }

/** 128 MiB and about half a second: what each guess costs whoever has the store. */
export const KDF: Kdf = { name: 'scrypt', n: 2 ** 17, r: 8, p: 1 };

const SHORTEST = 12;
const LEAST_DIFFERENT = 5;
/** An altered slot must not eat the machine. */
const MOST_BYTES = 2 ** 29;

/** Refuses what can be guessed. @throws REPOSITORY_PASSPHRASE_WEAK */
export function assertPassphrase(passphrase: string): void {
  const letters = [...passphrase.normalize('NFC')];
  const why = letters.length < SHORTEST ? `it has ${letters.length} characters, ${SHORTEST} are due`
    : new Set(letters).size < LEAST_DIFFERENT ? `it has only ${new Set(letters).size} different characters, ${LEAST_DIFFERENT} are due`
    : null;
  if (why === null) return;
  throw new LeafvaultError('REPOSITORY_PASSPHRASE_WEAK', `Taking the passphrase was refused: ${why}`, {
    hint: 'Whoever gets the store can try passphrases on a machine of their own: take five words at random, or a line from a password manager',
  });
}

/** 32 bytes; runs beside the main thread. */
export function stretch(passphrase: string, salt: Uint8Array, { n, r, p }: Kdf): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(Buffer.from(passphrase.normalize('NFC')), salt, 32, { N: n, r, p, maxmem: 2 * MOST_BYTES }, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

/** @throws REPOSITORY_OBJECT_DAMAGED where the parameters are none, or more than a machine should be asked for */
export function parseKdf(object: string, value: unknown): Kdf {
  const { name, n, r, p } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (name !== 'scrypt') throw damaged(object, 'it does not say how its passphrase is stretched');
  if (!within(n, 2 ** 14, 2 ** 20) || !Number.isInteger(Math.log2(n)) || !within(r, 1, 16) || !within(p, 1, 4) || 128 * n * r > MOST_BYTES) {
    throw damaged(object, 'the cost of its passphrase is out of bounds');
  }
  return { name, n, r, p };
}

function within(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}
