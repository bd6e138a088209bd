// The document of the APIs: made from the tables of routes that are mounted, and from what the resources say of their handlers.
import { z } from 'zod';
import type { DescribedResource, Description, Handler, Named } from '../wire/describe.ts';
import { forVersion } from '../wire/describe.ts';
import type { Operation } from '../wire/mms-routes.ts';
import { errorShape } from '../wire/shapes.ts';
import { answerSchema, parametersOf, templateOf, type Json } from './operation-parts.ts';

/** One API: its table of routes. */
export interface Section {
  /** Without a slash at the end. */
  readonly prefix: string;
  /** Of it, in the ids of operations: `atlasV2`. */
  readonly name: string;
  /** Schemes that prove who asks, by their names in the document. */
  readonly security: readonly ('digest' | 'bearer')[];
  readonly operations: readonly SectionOperation[];
  readonly form?: string;
}

export type SectionOperation = Operation & {
  /** Oldest first; absent: an API without versions. */
  readonly versions?: readonly { readonly date: string; readonly deprecatedSince?: string; readonly sunset?: string }[];
  /** Without versions: the one in whose form it answers. */
  readonly form?: string | undefined;
};

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Json;
  readonly servers: readonly Json[];
  readonly tags: readonly Json[];
  /** Path -> method -> operation. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> } & Json;
}

const JSON_TYPE = 'application/json';
const ERRORS = { '4XX': { $ref: '#/components/responses/Error' }, '5XX': { $ref: '#/components/responses/Error' } };

/** @throws Error when two schemas have one name */
export function buildDocument(sections: readonly Section[], resources: readonly DescribedResource[], { version }: { readonly version: string }): OpenApiDocument {
  const described = new Map(resources.flatMap(({ tag, operations }) => operations.map(([handler, description]) => [handler, { tag, ...description }] as const)));
  const schemas = new Schemas();
  const paths: Record<string, Record<string, Json>> = {};
  for (const section of sections) {
    for (const operation of section.operations) {
      const path = `${section.prefix}${operation.path === '/' ? '' : templateOf(operation.path)}`;
      (paths[path] ??= {})[operation.method.toLowerCase()] = operationOf(section, { ...operation, form: section.form }, described.get(operation.handle as Handler), schemas);
    }
  }
  const error = schemas.add({ name: 'Error', schema: errorShape }, 'output');
  return {
    openapi: '3.1.0',
    info: { title: 'Leafvault: the APIs that it answers', version, description: 'Backups of MongoDB behind the APIs of Atlas and Ops Manager. Made from the routes and schemas of this server.' },
    servers: [{ url: '/' }],
    tags: [...resources.map(({ tag }) => tag), ...(described.size === 0 ? [] : [UNDESCRIBED])].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.all,
      responses: { Error: { description: 'Why it was refused or failed', content: { [JSON_TYPE]: { schema: answerSchema('one', error) } } } },
      securitySchemes: {
        digest: { type: 'http', scheme: 'digest', description: 'An API key' },
        bearer: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: '/api/oauth/token', scopes: {} } }, description: 'A service account' },
      },
    },
  };
}

const UNDESCRIBED = 'Not described yet';

function operationOf(section: Section, operation: SectionOperation, described: (Description & { readonly tag: string }) | undefined, schemas: Schemas): Json {
  const { versions } = operation;
  const roles = operation.roles ?? operation.orgRoles;
  return {
    operationId: idOf(section, operation),
    tags: [described?.tag ?? UNDESCRIBED],
    ...(described === undefined ? {} : { summary: described.summary }),
    security: section.security.map((name) => ({ [name]: [] })),
    ...(roles === undefined ? {} : { 'x-required-role': roles }),
    ...(versions?.every(({ deprecatedSince }) => deprecatedSince !== undefined) === true ? { deprecated: true } : {}),
    parameters: parametersOf(operation.path, described),
    ...bodyOf(operation, described, schemas),
    responses: { ...successOf(operation, described, schemas), ...ERRORS },
  };
}

/** `atlasV2_get_groups_groupId_clusters`. */
function idOf({ name }: Section, { method, path }: SectionOperation): string {
  return [name, method.toLowerCase(), ...path.split('/').filter((each) => each !== '').map((each) => each.replaceAll(/[^a-zA-Z0-9]/g, ''))].join('_');
}

function bodyOf(operation: SectionOperation, described: Description | undefined, schemas: Schemas): Json {
  if (operation.method === 'GET' || operation.method === 'DELETE') return {};
  const types = typesOf(operation);
  if (described === undefined) return { requestBody: { required: false, content: { [JSON_TYPE]: { schema: { type: 'object' } } } } };
  const { body } = described;
  if (body === undefined) return {};
  const media = types.map(({ type, version }) => [type, { schema: schemas.add(forVersion(body, version), 'input') }] as const);
  const newest = media.at(-1)?.[1];
  const needed = types.some(({ version }) => schemas.requires(forVersion(body, version).name));
  return { requestBody: { required: needed, content: { ...Object.fromEntries(media), ...(newest === undefined ? {} : { [JSON_TYPE]: newest }) } } };
}

function successOf(operation: SectionOperation, described: Description | undefined, schemas: Schemas): Json {
  if (described === undefined) return { '2XX': { description: 'It was done' } };
  const { answer, status } = described;
  if (answer.kind === 'refusal') return {};
  if (answer.kind === 'none') return { [status ?? 204]: { description: 'It was done' } };
  const content = typesOf(operation).map(({ type, version, sunset }) => [type, {
    schema: answerSchema(answer.kind, schemas.add(forVersion(answer.of, version), 'output')), ...(type === JSON_TYPE ? {} : { 'x-version': version }), ...(sunset === undefined ? {} : { 'x-sunset': sunset }),
  }] as const);
  return { [status ?? 200]: { description: 'It was done', content: Object.fromEntries(content) } };
}

function typesOf({ versions, form = '' }: SectionOperation): readonly { readonly type: string; readonly version: string; readonly sunset?: string | undefined }[] {
  return versions?.map(({ date, sunset }) => ({ type: `application/vnd.atlas.${date}+json`, version: date, sunset })) ?? [{ type: JSON_TYPE, version: form }];
}

/** Named schemas, each once. */
class Schemas {
  readonly all: Record<string, Json> = {};
  readonly #known = new Map<string, z.ZodType>();

  add({ name, schema }: Named, io: 'input' | 'output'): Json {
    const known = this.#known.get(name);
    if (known !== undefined && known !== schema) throw new Error(`Two schemas have the name ${name}`);
    if (known === undefined) {
      this.#known.set(name, schema);
      const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
      this.all[name] = json;
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  requires(name: string): boolean {
    const { type, required = [] } = this.all[name] as { readonly type?: string; readonly required?: readonly string[] };
    return type === 'array' || required.length > 0;
  }
}
