// Our own document against the vendor's, operation by operation. What is missing is printed; what is missing and not named below fails.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ownDocument } from '../../../src/http/openapi/document.ts';
import { nameOfRef, plainPath, REFERENCE_OPERATIONS, schemaNamed, type ReferenceOperation, type Schema } from '../../support/reference.ts';
import { KNOWN_DIFFERENCES, NOT_SERVED } from './known-differences.ts';

type Json = Readonly<Record<string, unknown>>;

const PREFIX = '/api/atlas/v2';
const keyOf = ({ method, path }: Pick<ReferenceOperation, 'method' | 'path'>): string => `${method} ${plainPath(path)}`;
const document = ownDocument('test');
const own = new Map(Object.entries(document.paths).filter(([path]) => path.startsWith(PREFIX)).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [keyOf({ method: method.toUpperCase(), path: path.slice(PREFIX.length) || '/' }), operation] as const)));

/** Names of the members of a thing, or of the things in a list, whatever it is composed of; but for those of the other direction. */
function membersOf(schema: Schema | undefined, beside: 'readOnly' | 'writeOnly', seen: readonly string[] = []): readonly string[] {
  if (schema === undefined) return [];
  if (schema.$ref !== undefined) return seen.includes(schema.$ref) ? [] : membersOf(schemaNamed(nameOfRef(schema.$ref)), beside, [...seen, schema.$ref]);
  if (schema.properties?.['results']?.items !== undefined) return membersOf(schema.properties['results'].items, beside, seen);
  const parts = [...(schema.allOf ?? []), ...(schema.oneOf ?? []), ...Object.values(schema.discriminator?.mapping ?? {}).map(($ref) => ({ $ref }))];
  const own = Object.entries(schema.properties ?? {}).filter(([, member]) => member[beside] !== true).map(([name]) => name);
  return [...new Set([...own, ...parts.flatMap((part) => membersOf(part, beside, seen))])].sort();
}

/** Of our own document; null: anything goes. */
function ownMembersOf(schema: Json | undefined): readonly string[] | null {
  if (schema === undefined) return [];
  if (typeof schema['$ref'] === 'string') return ownMembersOf(document.components.schemas[nameOfRef(schema['$ref'])]);
  const [first] = (schema['anyOf'] as readonly Json[] | undefined) ?? [];
  if (first !== undefined) return ownMembersOf(first);
  const properties = schema['properties'] as Readonly<Record<string, Json>> | undefined;
  const results = properties?.['results']?.['items'] as Json | undefined;
  if (results !== undefined) return ownMembersOf(results);
  return schema['additionalProperties'] === false ? Object.keys(properties ?? {}) : null;
}

function mediaOf(part: unknown, date: string): Json | undefined {
  return ((part as { readonly content?: Readonly<Record<string, { readonly schema: Json }>> } | undefined)?.content ?? {})[`application/vnd.atlas.${date}+json`]?.schema;
}

function differencesOf(reference: ReferenceOperation, operation: Json): readonly string[] {
  const query = (operation['parameters'] as readonly Json[]).filter((each) => each['in'] === 'query').map(({ name }) => String(name));
  const success = (operation['responses'] as Json)[String(reference.status)];
  const found = reference.query.filter((name) => !query.includes(name)).map((name) => `parameter ${name} is missing`);
  if (success === undefined) return [...found, `answers no ${reference.status}`];
  for (const [date, { answer, body }] of Object.entries(reference.versions)) {
    const [ours, ourBody] = [ownMembersOf(mediaOf(success, date)), ownMembersOf(mediaOf(operation['requestBody'], date))];
    const members = membersOf(answer, 'writeOnly');
    found.push(...difference(members, ours).map((name) => `${date}: answer lacks ${name}`), ...difference(membersOf(body, 'readOnly'), ourBody).map((name) => `${date}: body does not take ${name}`));
    if (ours !== null && members.length > 0) found.push(...difference(ours, members).map((name) => `${date}: answer has ${name} of its own`));
  }
  return found;
}

function difference(these: readonly string[], those: readonly string[] | null): readonly string[] {
  return those === null ? [] : these.filter((each) => !those.includes(each));
}

/** `a(b|c)` is `ab` and `ac`. */
function alternativesOf(source: string): readonly string[] {
  const group = /\(([^()]*\|[^()]*)\)/.exec(source);
  return group === null ? [source] : group[1]!.split('|').flatMap((each) => alternativesOf(source.replace(group[0], each)));
}

describe('our own document', () => {
  test('has the operations of the reference, but for those that are named', (context) => {
    const missing = REFERENCE_OPERATIONS.filter((each) => !own.has(keyOf(each)));
    context.diagnostic(`${REFERENCE_OPERATIONS.length - missing.length} of ${REFERENCE_OPERATIONS.length} operations are served; missing: ${missing.map(({ id }) => id).join(', ') || 'none'}`);
    assert.deepEqual(missing.filter(({ path }) => !NOT_SERVED.some((known) => known.test(path))).map(({ id, method, path }) => `${id}: ${method} ${path}`), []);
  });

  test('needs each difference that is named', () => {
    const found = REFERENCE_OPERATIONS.flatMap((each) => {
      const operation = own.get(keyOf(each));
      return operation === undefined ? [] : differencesOf(each, operation).map((difference) => ({ id: each.id, difference }));
    });
    const unneeded = KNOWN_DIFFERENCES.flatMap(({ operation, what }) =>
      alternativesOf(what.source).filter((each) => !found.some(({ id, difference }) => operation.test(id) && new RegExp(each).test(difference))).map((each) => `${operation} ${each}`));
    assert.deepEqual(unneeded, []);
  });

  for (const reference of REFERENCE_OPERATIONS) {
    const operation = own.get(keyOf(reference));
    if (operation === undefined) continue;
    test(`has ${reference.id} as the reference, but for differences that are named`, () => {
      const known = KNOWN_DIFFERENCES.filter(({ operation: of }) => of.test(reference.id));
      assert.deepEqual(differencesOf(reference, operation).filter((each) => !known.some(({ what }) => what.test(each))), []);
    });
  }
});
