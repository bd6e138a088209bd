// JSON as the vendor's servers write it: keys in alphabetical order at every level, compact or in Jackson's
// pretty form (`"key" : value`, two spaces, arrays that open on the line of their key).

/** `value` as JSON text. Members that are `undefined` are left out, a date is its time. */
export function jsonText(value: unknown, pretty = false): string {
  return pretty ? prettyText(value, '') : compactText(value);
}

/** Written in one go: a sorted copy of a page of 500 takes several times as long as the text. */
function compactText(value: unknown): string {
  if (isPlain(value)) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(compactText).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (const key of keysInOrder(value)) {
    const each = members[key];
    if (each !== undefined) text += `${text === '' ? '' : ','}${quoted(key)}:${compactText(each)}`;
  }
  return `{${text}}`;
}

/** What has no members to be sorted. */
function isPlain(value: unknown): value is string | number | boolean | null | undefined | Date {
  return value === null || typeof value !== 'object' || value instanceof Date;
}

function keysInOrder(value: object): readonly string[] {
  const keys = Object.keys(value);
  // Most answers are written in order.
  return keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key) ? keys : keys.sort();
}

const QUOTED = new Map<string, string>();
/** Names of members are few; what comes from elsewhere must not grow without an end. */
const MOST_QUOTED = 2_000;

function quoted(key: string): string {
  const known = QUOTED.get(key);
  if (known !== undefined) return known;
  const text = JSON.stringify(key);
  if (QUOTED.size < MOST_QUOTED) QUOTED.set(key, text);
  return text;
}

function prettyText(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? '[ ]' : `[ ${value.map((each) => prettyText(each, indent)).join(', ')} ]`;
  }
  if (isPlain(value)) return JSON.stringify(value) ?? 'null';
  const deeper = `${indent}  `;
  const given = value as Readonly<Record<string, unknown>>;
  const members = keysInOrder(value).filter((key) => given[key] !== undefined).map((key) => `${deeper}${JSON.stringify(key)} : ${prettyText(given[key], deeper)}`);
  return members.length === 0 ? '{ }' : `{\n${members.join(',\n')}\n${indent}}`;
}
