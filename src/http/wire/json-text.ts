// JSON as the vendor's servers write it: keys in alphabetical order at every level, compact or in Jackson's
// pretty form (`"key" : value`, two spaces, arrays that open on the line of their key).

/** `value` as JSON text. Members that are `undefined` are left out. */
export function jsonText(value: unknown, pretty = false): string {
  const sorted = sortKeys(value);
  return pretty ? prettyText(sorted, '') : JSON.stringify(sorted);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sortKeys(each)]));
}

function prettyText(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? '[ ]' : `[ ${value.map((each) => prettyText(each, indent)).join(', ')} ]`;
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const deeper = `${indent}  `;
  const members = Object.entries(value).map(([key, each]) => `${deeper}${JSON.stringify(key)} : ${prettyText(each, deeper)}`);
  return members.length === 0 ? '{ }' : `{\n${members.join(',\n')}\n${indent}}`;
}
