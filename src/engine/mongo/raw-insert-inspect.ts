// Looks at raw documents before they are sent: what a server would refuse or change when it inserts them.
import { BSON } from 'mongodb';
import { asBuffer, BSON_TYPE, documentLength, rawDocument, rawFields, rawId, rawIdField } from '../bson/index.ts';

/** A document that can't be stored as it is. */
export interface RefusedDocument {
  /** Its `_id` as extended JSON, null where there is none. */
  readonly id: string | null;
  readonly reason: string;
}

/** A document whose top-level zero timestamps the server fills in; they are put back after the insert. */
export interface ZeroTimestamps {
  readonly document: Buffer;
  /** Names of the fields, in order, `_id` left out (a server keeps that one). */
  readonly fields: readonly string[];
}

export interface Inspection {
  readonly documents: number;
  readonly refused: readonly RefusedDocument[];
  readonly zeroTimestamps: readonly ZeroTimestamps[];
}

// The NUL behind a field's name and the eight bytes of Timestamp(0, 0).
const NUL_AND_ZERO = Buffer.alloc(9);
const ID_NAME = 0x0064695f;

/**
 * Walks documents that lie side by side. Cheap: a document's fields are looked at only where nine zero bytes are.
 * @param maxBytes the server's maxBsonObjectSize
 * @throws LeafvaultError BSON_MALFORMED
 */
export function inspectDocuments(piece: Uint8Array, maxBytes: number): Inspection {
  const bytes = asBuffer(piece);
  const refused: RefusedDocument[] = [];
  const zeroTimestamps: ZeroTimestamps[] = [];
  let documents = 0;
  let zero = bytes.indexOf(NUL_AND_ZERO);
  for (let at = 0; at < bytes.length; documents++) {
    const end = at + documentLength(bytes, at);
    const reason = findFault(bytes, at, end, maxBytes);
    if (reason !== null) refused.push({ id: describeId(bytes.subarray(at, end)), reason });
    if (zero >= 0 && zero < at) zero = bytes.indexOf(NUL_AND_ZERO, at);
    if (zero >= 0 && zero < end && reason === null) {
      const found = findZeroTimestamps(bytes.subarray(at, end));
      if (found !== null) zeroTimestamps.push(found);
    }
    at = end;
  }
  return { documents, refused, zeroTimestamps };
}

/** The `_id` of a raw document as canonical extended JSON, for messages. */
export function describeId(document: Uint8Array): string | null {
  try {
    const id = rawId(document);
    if (id === null) return null;
    const text = BSON.EJSON.stringify(BSON.deserialize(rawDocument([rawIdField(id)]), { promoteValues: false })._id, { relaxed: false });
    return text.length > 400 ? `${text.slice(0, 400)}…` : text;
  } catch {
    // Only the wording of a message depends on it.
    return null;
  }
}

/** The same for an `_id` alone: type byte and value. */
export function describeRawId(id: Uint8Array): string | null {
  return describeId(rawDocument([rawIdField(id)]));
}

function findFault(bytes: Buffer, at: number, end: number, maxBytes: number): string | null {
  if (end - at > maxBytes) return `it has ${end - at} bytes and the server takes ${maxBytes}`;
  if (end - at >= 10 && bytes.readUInt32LE(at + 5) === ID_NAME) return null;
  return rawId(bytes.subarray(at, end)) === null ? 'it has no _id and the server would add one' : '_id is not its first field and the server would move it';
}

function findZeroTimestamps(document: Buffer): ZeroTimestamps | null {
  const fields: string[] = [];
  for (const field of rawFields(document)) {
    if (field.type === BSON_TYPE.timestamp && field.name !== '_id' && document.readBigUInt64LE(field.valueAt) === 0n) fields.push(field.name);
  }
  return fields.length === 0 ? null : { document: Buffer.from(document), fields };
}
