// Raw documents and diffs for tests, written field by field so that order and names are as said.
import fc from 'fast-check';
import { BSON_TYPE, rawDocument, type RawValue } from '../../../src/engine/bson/index.ts';

export type Value = Omit<RawValue, 'name'>;
export type Fields = readonly (readonly [name: string, value: Value])[];

export function int(n: number): Value {
  const value = Buffer.alloc(4);
  value.writeInt32LE(n);
  return { type: BSON_TYPE.int, value };
}

export const no: Value = { type: BSON_TYPE.bool, value: Buffer.of(0) };
export const yes: Value = { type: BSON_TYPE.bool, value: Buffer.of(1) };
export const none: Value = { type: BSON_TYPE.null, value: Buffer.alloc(0) };

export function raw(...fields: Fields): Buffer {
  return rawDocument(fields.map(([name, value]) => ({ name, ...value })));
}

export function doc(...fields: Fields): Value {
  return { type: BSON_TYPE.document, value: raw(...fields) };
}

export function list(...values: readonly Value[]): Value {
  return { type: BSON_TYPE.array, value: raw(...values.map((value, at) => [String(at), value] as const)) };
}

/** Few names, so that diffs meet what is there; odd ones among them. */
const NAMES = ['a', 'b', '', '$x', 'a.b', '0', 'é', 's', 'u'];
const name = fc.constantFrom(...NAMES);
const scalar: fc.Arbitrary<Value> = fc.oneof(fc.integer({ min: 0, max: 99 }).map(int), fc.constant(none), fc.constant(yes), fc.string({ maxLength: 5 }).map((text) => ({ type: BSON_TYPE.string, value: stringValue(text.replaceAll('\0', '')) })));

function stringValue(text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(4);
  head.writeInt32LE(bytes.length);
  return Buffer.concat([head, bytes]);
}

export function valueArbitrary(depth: number): fc.Arbitrary<Value> {
  if (depth === 0) return scalar;
  return fc.oneof(scalar, fieldsArbitrary(depth - 1).map((fields) => doc(...fields)), fc.array(valueArbitrary(depth - 1), { maxLength: 5 }).map((values) => list(...values)));
}

export function fieldsArbitrary(depth: number): fc.Arbitrary<Fields> {
  return fc.uniqueArray(fc.tuple(name, valueArbitrary(depth)), { selector: ([key]) => key, maxLength: 7 });
}

/** Diffs that a server takes, whether they fit a document or not. */
export function diffArbitrary(depth: number): fc.Arbitrary<Value> {
  const change = fc.tuple(name, fc.constantFrom(...(depth > 0 ? ['d', 'u', 'i', 's', 's'] : ['d', 'u', 'i'])), valueArbitrary(1), depth > 0 ? anyDiff(depth - 1) : fc.constant(none));
  return fc.uniqueArray(change, { selector: ([key]) => key, minLength: 1, maxLength: 5 }).map((changes) => {
    const section = (kind: string): Fields => changes.filter(([, of]) => of === kind).map(([key, , value]) => [key, kind === 'd' ? no : value]);
    const sections: Fields = ['d', 'u', 'i'].map((kind) => [kind, doc(...section(kind))] as const).filter((_, at) => section('dui'[at]!).length > 0);
    return doc(...sections, ...changes.filter(([, of]) => of === 's').map(([key, , , diff]) => [`s${key}`, diff] as const));
  });
}

function anyDiff(depth: number): fc.Arbitrary<Value> {
  return fc.oneof(diffArbitrary(depth), arrayDiffArbitrary(depth));
}

function arrayDiffArbitrary(depth: number): fc.Arbitrary<Value> {
  const change = fc.tuple(fc.nat(7), fc.boolean(), valueArbitrary(1), depth > 0 ? anyDiff(depth - 1) : fc.constant(none));
  return fc.tuple(fc.option(fc.nat(8)), fc.uniqueArray(change, { selector: ([place]) => place, maxLength: 4 })).map(([length, changes]) => {
    const kept = changes.filter(([place]) => length === null || place < length).sort(([a], [b]) => a - b);
    return doc(['a', yes], ...(length === null ? [] : [['l', int(length)] as const]),
      ...kept.map(([place, isUpdate, value, diff]) => (isUpdate || depth === 0 ? [`u${place}`, value] as const : [`s${place}`, diff] as const)));
  });
}
