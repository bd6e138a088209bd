// Canonical extended JSON of metadata in the order in which it is stored. The library's own would reorder names that
// look like numbers, and with them the key of an index.
import { BSON } from 'mongodb';

/** Maps become objects, arrays arrays, everything else is the library's canonical form. */
export function canonicalJson(value: unknown): string {
  if (value instanceof Map) {
    const fields = [...(value as ReadonlyMap<string, unknown>)].map(([name, each]) => `${JSON.stringify(name)}:${canonicalJson(each)}`);
    return `{${fields.join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  // In an array, because a bare value is not a document.
  return BSON.EJSON.stringify([value], { relaxed: false }).slice(1, -1);
}
