// Names of files in a mongodump directory, as mongodump makes them and mongorestore reads them back.
import { createHash } from 'node:crypto';

/** A longer name would pass 255 bytes with `.metadata.json.gz` behind it. */
const LONGEST = 238;
const KEPT_OF_LONG = 208;

/**
 * The file name of a collection, without ending: percent-encoded; a long one is cut and ends in `%24` and the SHA-1 of
 * the name, in base64url (mongo-tools, `outputPath`). A space becomes `%20`, which every version of mongorestore reads.
 */
export function fileNameOf(collection: string): string {
  const escaped = escape(collection);
  if (escaped.length <= LONGEST) return escaped;
  return `${escaped.slice(0, KEPT_OF_LONG)}%24${createHash('sha1').update(collection).digest('base64url')}`;
}

function escape(name: string): string {
  let text = '';
  for (const byte of Buffer.from(name)) {
    const char = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-_.~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
