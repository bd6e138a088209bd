// The master key in a form that fits on paper: LV1 and 56 base32 characters, among them a checksum that
// catches a wrong letter. With it and the repository everything can be read again.
import { createHash } from 'node:crypto';
import { LeafvaultError } from '../foundation/errors.ts';

/** Crockford's base32: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const KEY_BYTES = 32;
const CHECK_BYTES = 3;
const GROUP = 7;

/** @param masterKey 32 bytes */
export function recoveryKeyOf(masterKey: Uint8Array): string {
  const text = encode(Buffer.concat([masterKey, checkOf(masterKey)]));
  return `LV1-${(text.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []).join('-')}`;
}

/** The master key again. Case, spaces and hyphens do not count; O reads as 0, I and L as 1. @throws RECOVERY_KEY_WRONG */
export function masterKeyFrom(recoveryKey: string): Buffer {
  const text = recoveryKey.toUpperCase().replace(/[^A-Z0-9]/g, '');
  const bytes = text.startsWith('LV1') ? decode(text.slice(3).replaceAll('O', '0').replace(/[IL]/g, '1')) : null;
  const key = bytes?.subarray(0, KEY_BYTES);
  if (key?.length !== KEY_BYTES || bytes === null || bytes === undefined || !checkOf(key).equals(bytes.subarray(KEY_BYTES))) {
    throw new LeafvaultError('RECOVERY_KEY_WRONG', 'Reading the recovery key failed: it is not whole, or a character of it is wrong', {
      hint: 'Compare it with the paper: LV1 and eight groups of seven characters',
    });
  }
  return Buffer.from(key);
}

function checkOf(key: Uint8Array): Buffer {
  return createHash('sha256').update('leafvault recovery key').update(key).digest().subarray(0, CHECK_BYTES);
}

/** 35 bytes are 56 characters without a rest. */
function encode(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)]).join('');
}

function decode(text: string): Buffer | null {
  const fives = [...text].map((letter) => ALPHABET.indexOf(letter));
  if (fives.includes(-1) || text.length !== ((KEY_BYTES + CHECK_BYTES) * 8) / 5) return null;
  const bits = fives.map((five) => five.toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}
