// The vendor's operations and schemas, as the reference file has them (test/fixtures/atlas-backup.openapi.json).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly nullable?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly readOnly?: boolean;
  readonly writeOnly?: boolean;
  readonly discriminator?: { readonly propertyName: string; readonly mapping?: Readonly<Record<string, string>> };
}

interface Media { readonly schema?: Schema; readonly 'x-sunset'?: string }
interface RawParameter { readonly $ref?: string; readonly in?: string; readonly name?: string }
interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly RawParameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
  readonly 'x-required-role'?: readonly string[];
}

export interface ReferenceVersion {
  readonly sunset?: string | undefined;
  readonly answer?: Schema | undefined;
  readonly body?: Schema | undefined;
}

export interface ReferenceOperation {
  readonly id: string;
  readonly method: string;
  /** Below `/api/atlas/v2`. */
  readonly path: string;
  /** Of success, first of them. */
  readonly status: number;
  /** All that it names. */
  readonly statuses: readonly number[];
  readonly roles: readonly string[];
  readonly query: readonly string[];
  readonly versions: Readonly<Record<string, ReferenceVersion>>;
}

const PREFIX = '/api/atlas/v2';
const document = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/atlas-backup.openapi.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly parameters: Readonly<Record<string, RawParameter>> };
};

export const REFERENCE_OPERATIONS: readonly ReferenceOperation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => readOperation(path.slice(PREFIX.length) || '/', method, operation)));

/** @throws Error for a name that the file lacks */
export function schemaNamed(name: string): Schema {
  const schema = document.components.schemas[name];
  if (schema === undefined) throw new Error(`The reference has no schema ${name}`);
  return schema;
}

export function nameOfRef(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/** `/groups/*` of `/groups/:groupId` and of `/groups/{groupId}`: names of parameters differ. */
export function plainPath(path: string): string {
  return path.replaceAll(/\{[a-zA-Z]+\}|(?<=\/):[a-zA-Z]+/g, '*');
}

function readOperation(path: string, method: string, operation: RawOperation): ReferenceOperation {
  const statuses = Object.keys(operation.responses).map(Number);
  const status = statuses.find((each) => each < 300) ?? 200;
  const media = Object.entries(operation.responses[String(status)]?.content ?? {});
  const bodies = operation.requestBody?.content ?? {};
  return {
    id: operation.operationId, method: method.toUpperCase(), path, status, statuses,
    roles: operation['x-required-role'] ?? [],
    query: (operation.parameters ?? []).map((each) => (each.$ref === undefined ? each : document.components.parameters[nameOfRef(each.$ref)] ?? {})).filter((each) => each.in === 'query').map(({ name = '' }) => name),
    // A preview has neither a date nor a promise.
    versions: Object.fromEntries(media.filter(([type]) => !type.includes('.preview+')).map(([type, { schema, 'x-sunset': sunset }]) => [dateOf(type), { sunset, answer: schema, body: bodies[type]?.schema }])),
  };
}

function dateOf(mediaType: string): string {
  return /^application\/vnd\.atlas\.(.+)\+json$/.exec(mediaType)?.[1] ?? mediaType;
}
