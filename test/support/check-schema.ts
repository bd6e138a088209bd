// Answers against the published schemas of Atlas.
import { differencesOf } from './atlas-differences.ts';
import { nameOfRef, REFERENCE_OPERATIONS, schemaNamed, type ReferenceOperation, type Schema } from './reference.ts';

export interface SpecOperation {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly roles: readonly string[];
  readonly versions: ReferenceOperation['versions'];
}

export const specOperations: Readonly<Record<string, SpecOperation>> = Object.fromEntries(REFERENCE_OPERATIONS.map((each) => [each.id, each]));

/** Faults of an answer, as `path: what`. Members that the schema does not know are faults too, but for recorded differences. */
export function checkAgainst(operationId: string, version: string, value: unknown): string[] {
  const operation = specOperations[operationId]?.versions[version];
  return operation?.answer === undefined ? [`${operationId} has no schema of ${version}`] : faultsOf(operation.answer, value, '', differencesOf(operationId));
}

/** Faults of the body of an error. */
export function checkError(value: unknown): string[] {
  return faultsOf(schemaNamed('ApiError'), value, '', differencesOf('ApiError'));
}

export function faultsOf(given: Schema, value: unknown, at: string, beyond: readonly string[]): string[] {
  if (beyond.includes(at.replace(/\[\d+\]/g, '[]'))) return [];
  return variantsOf(given, value).map((parts) => faultsOfParts(parts, value, at, beyond)).sort((a, b) => a.length - b.length)[0] ?? [];
}

/** All schemas that hold at once; several lists where one of several may hold. */
function variantsOf(schema: Schema, value: unknown, seen: readonly string[] = []): (readonly Schema[])[] {
  if (schema.$ref !== undefined) {
    const name = nameOfRef(schema.$ref);
    return seen.includes(name) ? [[]] : variantsOf(schemaNamed(name), value, [...seen, name]);
  }
  let variants: (readonly Schema[])[] = [[schema]];
  const join = (others: (readonly Schema[])[]): void => { variants = variants.flatMap((one) => others.map((other) => [...one, ...other])); };
  for (const part of schema.allOf ?? []) join(variantsOf(part, value, seen));
  const named = schema.discriminator?.mapping?.[String((value as Record<string, unknown> | null)?.[schema.discriminator.propertyName])];
  if (named !== undefined) join(variantsOf({ $ref: named }, value, seen));
  else if (schema.oneOf !== undefined) join(schema.oneOf.flatMap((one) => variantsOf(one, value, seen)));
  return variants;
}

function faultsOfParts(parts: readonly Schema[], value: unknown, at: string, beyond: readonly string[]): string[] {
  if (value === null) return parts.some(({ nullable }) => nullable === true) ? [] : [`${at}: null`];
  const wrong = parts.find(({ type }) => type !== undefined && !isOfType(type, value));
  if (wrong !== undefined) return [`${at}: ${JSON.stringify(value)} is no ${wrong.type}`];
  if (Array.isArray(value)) return [...parts.flatMap((part) => lengthFaults(part, value.length, at, ['minItems', 'maxItems'])), ...value.flatMap((each, index) => faultsOf(parts.find(({ items }) => items !== undefined)?.items ?? {}, each, `${at}[${index}]`, beyond))];
  if (typeof value === 'object') return objectFaults(parts, value as Record<string, unknown>, at, beyond);
  return parts.flatMap((part) => scalarFaults(part, value, at));
}

function objectFaults(parts: readonly Schema[], value: Readonly<Record<string, unknown>>, at: string, beyond: readonly string[]): string[] {
  const required = new Set(parts.flatMap((part) => part.required ?? []));
  const missing = [...required].filter((name) => value[name] === undefined && !beyond.includes(plainAt(`${at}.${name}`))).map((name) => `${at}.${name}: missing`);
  const properties: Readonly<Record<string, Schema>> = Object.assign({}, ...parts.map((part) => part.properties ?? {})) as Record<string, Schema>;
  const others = parts.find(({ additionalProperties }) => typeof additionalProperties === 'object')?.additionalProperties;
  if (Object.keys(properties).length === 0 && others === undefined) return missing;
  return [...missing, ...Object.entries(value).flatMap(([name, each]) => {
    const member = properties[name] ?? (typeof others === 'object' ? others : undefined);
    const path = `${at}.${name}`;
    if (member !== undefined) return faultsOf(member, each, path, beyond);
    return beyond.includes(plainAt(path)) ? [] : [`${path}: not in the schema`];
  })];
}

function plainAt(path: string): string {
  return path.replace(/\[\d+\]/g, '[]');
}

function scalarFaults(schema: Schema, value: unknown, at: string): string[] {
  const faults: string[] = [];
  if (schema.enum !== undefined && !schema.enum.includes(value)) faults.push(`${at}: ${String(value)} is none of ${schema.enum.join(', ')}`);
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(String(value))) faults.push(`${at}: ${String(value)} does not match ${schema.pattern}`);
  if (schema.minimum !== undefined && Number(value) < schema.minimum) faults.push(`${at}: ${String(value)} is below ${schema.minimum}`);
  if (schema.maximum !== undefined && Number(value) > schema.maximum) faults.push(`${at}: ${String(value)} is above ${schema.maximum}`);
  if (schema.format === 'date-time' && !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(String(value))) faults.push(`${at}: ${String(value)} is no time in whole seconds`);
  if (typeof value === 'string') faults.push(...lengthFaults(schema, value.length, at, ['minLength', 'maxLength']));
  return faults;
}

function lengthFaults(schema: Schema, length: number, at: string, [least, most]: readonly ['minItems' | 'minLength', 'maxItems' | 'maxLength']): string[] {
  return length < (schema[least] ?? 0) || length > (schema[most] ?? Infinity) ? [`${at}: a length of ${length} is outside of ${schema[least] ?? 0} to ${schema[most] ?? 'any'}`] : [];
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value);
  return typeof value === type;
}
