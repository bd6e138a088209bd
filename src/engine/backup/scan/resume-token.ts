// Resume tokens of natural-order scans: `{$recordId: …}`, a long, or bytes in clustered collections.
// They belong to one member: used on another they skip and repeat documents without an error.
import { BSON, type Document } from 'bson';
import { BSON_TYPE, rawField, rawFields } from '../../bson/index.ts';
import { documentsOfBatch } from '../../mongo/index.ts';
import { serverCode, type Source } from '../source.ts';

/** A raw token document. */
export type ResumeToken = Buffer;

/** The server's answer when the document that a token names is gone. */
export const KEY_NOT_FOUND = 211;

/** The token as a command's `$_resumeAfter`, types as they came. */
export function tokenCommand(token: ResumeToken): Document {
  return BSON.deserialize(token, { promoteValues: false });
}

/** Tokens of earlier batches, the newest last; how far one can step back when documents go. */
export function createTokenRing(size: number = 64, earlier: readonly ResumeToken[] = []): { push(token: ResumeToken): void; newestFirst(): readonly ResumeToken[]; clear(): void } {
  let tokens: ResumeToken[] = [...earlier];
  return {
    push(token) {
      tokens.push(token);
      // Far back one in two is enough: what lies between is read again, without its content.
      if (tokens.length > size) tokens = tokens.filter((_, index) => index >= size / 2 || index % 2 === 1);
    },
    newestFirst: () => tokens.toReversed(),
    clear() {
      tokens = [];
    },
  };
}

/**
 * A place to go on behind `last`, whose own document is gone: steps back to an earlier token that is still good, reads
 * record ids from there, and gives the greatest one that is not beyond `last`.
 * Null when no earlier token is good: the scan has to begin again.
 */
export async function stepBack(source: Source, target: { readonly db: string; readonly find: unknown; readonly readConcern: Document }, tokens: readonly ResumeToken[], last: ResumeToken): Promise<ResumeToken | null> {
  for (const token of tokens) {
    try {
      return await greatestUpTo(source, target, token, last);
    } catch (error) {
      if (serverCode(error) !== KEY_NOT_FOUND) throw error;
    }
  }
  return null;
}

async function greatestUpTo(source: Source, target: { readonly db: string; readonly find: unknown; readonly readConcern: Document }, from: ResumeToken, last: ResumeToken): Promise<ResumeToken> {
  let greatest = from;
  let reply = await source.open(target.db, {
    find: target.find, hint: { $natural: 1 }, projection: { _id: 1 }, showRecordId: true, $_requestResumeToken: true, $_resumeAfter: tokenCommand(from),
    readConcern: target.readConcern, batchSize: 1000,
  });
  const cursor = { id: reply.cursorId, collection: reply.namespace.slice(reply.namespace.indexOf('.') + 1) };
  for (;;) {
    for (const document of documentsOfBatch(reply.batch)) {
      const token = tokenOf(document);
      if (compareTokens(token, last) > 0) {
        if (reply.cursorId !== 0n) await source.kill(target.db, cursor);
        return greatest;
      }
      greatest = token;
    }
    if (reply.cursorId === 0n) return greatest;
    reply = await source.more(target.db, cursor, { batchSize: 1000 });
  }
}

function tokenOf(document: Buffer): ResumeToken {
  const field = rawField(document, '$recordId');
  if (field === null) throw new Error('A document was read without its record id');
  const element = document.subarray(field.at, field.end);
  const token = Buffer.alloc(element.length + 5);
  token.writeInt32LE(token.length, 0);
  element.copy(token, 4);
  return token;
}

/** The order of the records that two tokens of one collection name. */
export function compareTokens(a: ResumeToken, b: ResumeToken): number {
  const [left, right] = [valueOf(a), valueOf(b)];
  if (left.type !== BSON_TYPE.binary || right.type !== BSON_TYPE.binary) return compareNumbers(left.value.readBigInt64LE(0), right.value.readBigInt64LE(0));
  return Buffer.compare(left.value.subarray(5), right.value.subarray(5));
}

function compareNumbers(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function valueOf(token: ResumeToken): { readonly type: number; readonly value: Buffer } {
  for (const field of rawFields(token)) return { type: field.type, value: token.subarray(field.valueAt, field.end) };
  throw new Error('A resume token is empty');
}
