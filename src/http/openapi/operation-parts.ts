// Parameters and answers of operations in the document: what the family's requests and answers have in common.
import { z } from 'zod';
import type { DescribedAnswer, Description } from '../wire/describe.ts';
import { count, hexId, links } from '../wire/shapes.ts';

export type Json = Readonly<Record<string, unknown>>;

const plain = (schema: z.ZodType): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { unrepresentable: 'any' });
  return json;
};

const FLAG = z.boolean();
const EVERYWHERE = { envelope: FLAG, pretty: FLAG };
const PAGED = { includeCount: FLAG, itemsPerPage: z.int().min(1).max(500), pageNum: z.int().min(1).max(2_147_483_647) };

/** `/groups/{groupId}` of `/groups/:groupId`. A parameter begins its part of the path: `{clientId}:invite` of `:clientId:invite`. */
export function templateOf(path: string): string {
  return path.replaceAll(PARAMETER, '{$1}');
}

const PARAMETER = /(?<=\/):([a-zA-Z]+)/g;

export function parametersOf(path: string, described: Description | undefined): readonly Json[] {
  const inPath = [...path.matchAll(PARAMETER)].map(([, name = '']) => ({ in: 'path', name, required: true, schema: plain(/(?<!client|endpointSet)Id$/.test(name) ? hexId : z.string().min(1)) }));
  const query = { ...EVERYWHERE, ...(described?.answer.kind === 'page' ? PAGED : {}), ...described?.query };
  return [...inPath, ...Object.entries(query).map(([name, schema]) => ({ in: 'query', name, schema: plain(schema) }))];
}

/** Around the schema of one thing; `envelope=true` puts a single one into an envelope, and gives a list its status. */
export function answerSchema(kind: Exclude<DescribedAnswer['kind'], 'none' | 'refusal'>, one: Json): Json {
  if (kind === 'page' || kind === 'list') {
    return {
      type: 'object', required: ['links', 'results'], additionalProperties: false,
      properties: { links: plain(links), results: { type: 'array', items: one }, totalCount: plain(count), status: { type: 'integer' } },
    };
  }
  const body = kind === 'bare' ? { type: 'array', items: one } : one;
  return {
    anyOf: [body, { type: 'object', required: ['status', 'envelope', 'content'], additionalProperties: false, properties: { status: { type: 'integer' }, envelope: body, content: body } }],
  };
}
