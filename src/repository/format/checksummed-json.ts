// One line of JSON that ends in a checksum of what stands before it: for the two kinds of objects that
// must be readable without a key.
import { createHash } from 'node:crypto';
import { damaged } from './damage.ts';

const TAIL = /^,"checksum":"([0-9a-f]{64})"\}$/;
const TAIL_LENGTH = ',"checksum":""}'.length + 64;

/** The bytes of `value` with its checksum; `value` has at least one property. */
export function writeChecksummedJson(value: Readonly<Record<string, unknown>>): Buffer {
  const head = JSON.stringify(value).slice(0, -1);
  return Buffer.from(`${head},"checksum":"${sha256(Buffer.from(head))}"}`);
}

/** @throws REPOSITORY_OBJECT_DAMAGED */
export function readChecksummedJson(name: string, bytes: Buffer): Readonly<Record<string, unknown>> {
  const at = bytes.length - TAIL_LENGTH;
  const [, checksum] = at > 0 ? (TAIL.exec(bytes.toString('latin1', at)) ?? []) : [];
  if (checksum === undefined) throw damaged(name, 'it does not end in a checksum');
  const head = bytes.subarray(0, at);
  if (sha256(head) !== checksum) throw damaged(name, 'its checksum does not fit');
  try {
    return JSON.parse(`${head.toString('utf8')}}`) as Record<string, unknown>;
  } catch (cause) {
    throw damaged(name, 'it is not JSON', cause);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
