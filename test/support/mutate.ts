// Damage for fuzz tests: what disks, networks, mistaken people and forgers do to objects, as values of fast-check, so that a failure shrinks.
import fc from 'fast-check';
import type { Storage } from '../../src/storage/index.ts';
import { copyToMemory, objectNames } from './repository-fixture.ts';

const HOWS = ['flip', 'flip', 'flip', 'byte', 'cut', 'grow', 'zero', 'noise', 'number', 'splice', 'swap', 'rename', 'replace', 'lose'] as const;
export interface Mutation { readonly how: (typeof HOWS)[number]; readonly at: number; readonly value: number }

/** What a length, a count or an offset should never be. */
const EXTREMES = [0, 1, 15, 16, 63, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

const anything = fc.nat({ max: 2 ** 30 });
export const mutation: fc.Arbitrary<Mutation> = fc.record({ how: fc.constantFrom(...HOWS), at: anything, value: anything }, { noNullPrototype: true });
/** Which object, and what is done to it. */
export const harm: fc.Arbitrary<{ readonly object: number; readonly mutation: Mutation }> = fc.record({ object: anything, mutation }, { noNullPrototype: true });

/** @param other bytes of another object */
export function mutate(bytes: Buffer, { how, at, value }: Mutation, other: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const place = copy.length === 0 ? 0 : at % copy.length;
  const length = 1 + (value % 64);
  switch (how) {
    case 'flip':
      copy[place] = (copy[place] ?? 0) ^ (1 << (value % 8));
      return copy;
    case 'byte':
      copy[place] = value & 0xff;
      return copy;
    case 'cut':
      return copy.subarray(0, place);
    case 'grow':
      return Buffer.concat([copy.subarray(0, place), noise(length, value), copy.subarray(place)]);
    case 'zero':
      return copy.fill(0, place, Math.min(copy.length, place + length));
    case 'noise':
      noise(length, value).copy(copy, place);
      return copy;
    case 'number':
      return writeNumber(copy, at, value);
    case 'splice':
      return Buffer.concat([copy.subarray(0, place), other.subarray(value % Math.max(1, other.length))]);
    case 'swap':
    case 'rename':
      return other;
    case 'replace':
      return noise(at % 5_000, value);
    case 'lose':
      return copy;
  }
}

/** At the end as often as anywhere: that is where packs have their lengths. */
function writeNumber(bytes: Buffer, at: number, value: number): Buffer {
  if (bytes.length < 16) return bytes;
  const place = at % 2 === 0 ? bytes.length - 16 + (at % 3) * 4 : (at >> 1) % (bytes.length - 4);
  bytes.writeUInt32LE(EXTREMES[value % EXTREMES.length] ?? 0, place);
  return bytes;
}

/** The same for the same numbers. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Names that mean something and that nobody put there. */
const ODD_NAMES: readonly ((name: string) => string)[] = [
  (name) => name.replace(/[0-9a-f]{24}/, 'ffffffffffffffffffffffff'),
  (name) => name.replace(/\d{10}/, '9999999999'),
  (name) => name.replace(/\d{10}/, '0000000000'),
  (name) => `${name}.9999`,
  (name) => name.replace(/[0-9a-f]$/, (digit) => (digit === '0' ? '1' : '0')),
  (name) => `${name.split('/')[0] ?? ''}/x`,
];

/** The store with all of that done to it. @returns names of the objects that were touched, too */
export async function harmed(storage: Storage, harms: readonly { readonly object: number; readonly mutation: Mutation }[]): Promise<{ readonly storage: Storage; readonly touched: readonly string[] }> {
  const names = await objectNames(storage);
  const bytes = new Map<string, Buffer>();
  for (const name of names) bytes.set(name, await storage.get(name));
  const touched: string[] = [];
  for (const { object, mutation: each } of harms) {
    const name = names[object % names.length] ?? '';
    const sound = bytes.get(name);
    if (sound === undefined) continue;
    const alike = names.filter((one) => one !== name && one.split('/')[0] === name.split('/')[0]);
    const other = (each.value % 3 === 0 || alike.length === 0 ? names : alike)[each.at % (each.value % 3 === 0 || alike.length === 0 ? names.length : alike.length)] ?? '';
    touched.push(name);
    if (each.how === 'lose') bytes.delete(name);
    else if (each.how === 'rename') bytes.set(ODD_NAMES[each.at % ODD_NAMES.length]?.(name) ?? name, sound);
    else bytes.set(name, mutate(sound, each, bytes.get(other) ?? Buffer.alloc(0)));
  }
  const result = await copyToMemory(storage, (name) => bytes.get(name) ?? null);
  for (const [name, added] of bytes) if (!names.includes(name)) await result.put(name, added);
  return { storage: result, touched };
}

/** What a field of JSON should never be. */
const ODD_VALUES: readonly unknown[] = [
  null, true, false, -1, 0, 1.5, 1e308, -1e308, 2 ** 53, 2 ** 31, 0xffff_ffff, '', 'x', 'x'.repeat(50_000), '\u0000', '..', '0'.repeat(16), 'f'.repeat(24), 'f'.repeat(64), [], {}, [null], { a: null },
  nested(500),
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n += 1) value = [value];
  return value;
}

/** One place of a JSON value is taken away or becomes something else. */
export function mutateJson(json: unknown, { at, value }: Pick<Mutation, 'at' | 'value'>): unknown {
  const copy = structuredClone(json);
  const places: { readonly of: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (of: unknown): void => {
    if (typeof of !== 'object' || of === null) return;
    for (const [key, inner] of Object.entries(of)) {
      places.push({ of: of as Record<string, unknown>, key });
      walk(inner);
    }
  };
  walk(copy);
  const place = places[at % (places.length + 1)];
  const odd = ODD_VALUES[value % ODD_VALUES.length];
  if (place === undefined) return odd;
  if (value % 7 === 0) Reflect.deleteProperty(place.of, place.key);
  else place.of[place.key] = odd;
  return copy;
}
