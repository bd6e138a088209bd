// Reads the parameters of an `Authorization: Digest …` header as Go, curl and urllib write them:
// tokens or quoted strings, any white space, any order. Linear in the length of the header.

/** Longest header that is looked at; Node itself stops at 16 KiB for all headers together. */
const LONGEST = 8192;
const PREFIX = /^digest[ \t]+/i;
const NAME = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const SPACE = /[ \t]*/y;
const TOKEN = /[^\s",]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** Parameters by lower-case name, quotes and escapes undone; null when malformed, named twice or not Digest. */
export function parseDigestHeader(header: string): ReadonlyMap<string, string> | null {
  const prefix = PREFIX.exec(header);
  if (prefix === null || header.length > LONGEST) return null;
  const found = new Map<string, string>();
  let at = prefix[0].length;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < header.length) {
    take(SPACE);
    if (header[at] === ',') {
      at += 1;
      continue;
    }
    if (at >= header.length) break;
    const name = take(NAME)?.[0].toLowerCase();
    take(SPACE);
    if (name === undefined || header[at] !== '=' || found.has(name)) return null;
    at += 1;
    take(SPACE);
    const value = header[at] === '"' ? take(QUOTED)?.[1]?.replace(/\\(.)/gs, '$1') : take(TOKEN)?.[0];
    if (value === undefined) return null;
    found.set(name, value);
    take(SPACE);
    if (at < header.length && header[at] !== ',') return null;
  }
  return found.size === 0 ? null : found;
}
