// What the fields of a chain's objects may be (format document, section 17).
import type { ChainEnd } from '../chains/chains.ts';
import type { JsonRecord } from './sealed-json.ts';

/** Raw bytes of one slice. */
export const MAX_SLICE_BYTES = 64 * 1024 * 1024;
/** The header of a slice, in bytes of JSON. */
export const MAX_SLICE_HEADER_BYTES = 1024 * 1024;
/** The sequence has ten digits. */
export const MAX_SEQUENCE = 9_999_999_999;

/** 16 lower-case hex digits. */
export function isPosition(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
}

/** SHA-256 in hex. */
export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** In capitals, for programs: `STOPPED`. */
export function isReason(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(value);
}

/** A whole number from 0 that a double holds exactly. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A JSON object. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields that a close and `end` share, or null where one is wrong. */
export function chainEndOf({ createdAt, reason, at, body }: JsonRecord): ChainEnd | null {
  return typeof createdAt === 'string' && isReason(reason) && isPosition(at) && isRecord(body) ? { createdAt, reason, at, body } : null;
}
