// Answers against the published schemas of Atlas, trimmed to what Leafvault answers (test/fixtures/atlas-v2-*.json).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly nullable?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

export interface SpecOperation {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly roles: readonly string[];
  readonly versions: Readonly<Record<string, { readonly sunset?: string; readonly schema?: Schema }>>;
}

interface Fixture {
  readonly operations: Readonly<Record<string, SpecOperation>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** Of backups, and of what is around them. */
const parts = ['operations', 'administration'].map((name) => JSON.parse(readFileSync(join(import.meta.dirname, `../fixtures/atlas-v2-${name}.json`), 'utf8')) as Fixture);
const fixture: Fixture = { operations: Object.assign({}, ...parts.map((part) => part.operations)) as Fixture['operations'], schemas: Object.assign({}, ...parts.map((part) => part.schemas)) as Fixture['schemas'] };

export const specOperations = fixture.operations;

/** Faults of an answer, as `path: what`. Members that the schema does not know are faults too, unless named in `beyond`. */
export function checkAgainst(operationId: string, version: string, value: unknown, beyond: readonly string[] = []): string[] {
  const schema = fixture.operations[operationId]?.versions[version]?.schema;
  return schema === undefined ? [`${operationId} has no schema of ${version}`] : faultsOf(schema, value, '', beyond);
}

export function checkError(value: unknown): string[] {
  return faultsOf({ $ref: 'ApiError' }, value, '', []);
}

function faultsOf(given: Schema, value: unknown, at: string, beyond: readonly string[]): string[] {
  const schema = given.$ref === undefined ? given : fixture.schemas[given.$ref] ?? {};
  if (beyond.includes(at.replace(/\[\d+\]/g, '[]'))) return [];
  if (value === null) return schema.nullable === true ? [] : [`${at}: null`];
  if (schema.type !== undefined && !isOfType(schema.type, value)) return [`${at}: ${JSON.stringify(value)} is no ${schema.type}`];
  if (Array.isArray(value)) return value.flatMap((each, index) => faultsOf(schema.items ?? {}, each, `${at}[${index}]`, beyond));
  if (typeof value === 'object') return objectFaults(schema, value as Record<string, unknown>, at, beyond);
  return scalarFaults(schema, value, at);
}

function objectFaults(schema: Schema, value: Readonly<Record<string, unknown>>, at: string, beyond: readonly string[]): string[] {
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined).map((name) => `${at}.${name}: missing`);
  if (schema.properties === undefined) return missing;
  return [...missing, ...Object.entries(value).flatMap(([name, each]) => {
    const member = schema.properties?.[name];
    const path = `${at}.${name}`;
    if (member !== undefined) return faultsOf(member, each, path, beyond);
    return beyond.includes(path.replace(/\[\d+\]/g, '[]')) ? [] : [`${path}: not in the schema`];
  })];
}

function scalarFaults(schema: Schema, value: unknown, at: string): string[] {
  const faults: string[] = [];
  if (schema.enum !== undefined && !schema.enum.includes(value)) faults.push(`${at}: ${String(value)} is none of ${schema.enum.join(', ')}`);
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(String(value))) faults.push(`${at}: ${String(value)} does not match ${schema.pattern}`);
  if (schema.minimum !== undefined && Number(value) < schema.minimum) faults.push(`${at}: ${String(value)} is below ${schema.minimum}`);
  if (schema.maximum !== undefined && Number(value) > schema.maximum) faults.push(`${at}: ${String(value)} is above ${schema.maximum}`);
  if (schema.format === 'date-time' && !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(String(value))) faults.push(`${at}: ${String(value)} is no time in whole seconds`);
  return faults;
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value);
  return typeof value === type;
}
