// A body against its zod schema; what does not fit is told in the family's words: missing, unknown, wrong type, wrong value.
import type { z } from 'zod';
import { LeafvaultError } from '../../foundation/errors.ts';

/**
 * The parsed body; no body counts as an empty object. Members that are null count as absent, as the vendor's servers read
 * them, but `null` for the whole is no object.
 * @throws BODY_NOT_OBJECT, ATTRIBUTE_MISSING, ATTRIBUTE_UNKNOWN, ATTRIBUTE_TYPE, ATTRIBUTE_INVALID, ENUM_UNKNOWN: the first thing that is wrong
 */
export function readBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const given = withoutNulls(body === undefined ? {} : body);
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new LeafvaultError('BODY_NOT_OBJECT', 'Reading the body failed: it is no JSON object');
  }
  const outcome = schema.safeParse(given);
  if (outcome.success) return outcome.data;
  throw firstFault(outcome.error.issues, given);
}

/** A body that is a list: each item by itself, as `readBody` reads it. @throws as `readBody`; ATTRIBUTE_INVALID for too many items or none */
export function readListBody<Schema extends z.ZodType>(schema: Schema, body: unknown, limits: { readonly least: number; readonly most: number }): readonly z.infer<Schema>[] {
  if (!Array.isArray(body)) throw new LeafvaultError('BODY_NOT_OBJECT', 'Reading the body failed: it is no JSON list');
  if (body.length < limits.least || body.length > limits.most) throw fault('ATTRIBUTE_INVALID', 'body', `has ${body.length} items, not ${limits.least} to ${limits.most}`);
  return body.map((each: unknown) => readBody(schema, each ?? null));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null).map(([key, each]) => [key, withoutNulls(each)]));
}

/** An unknown attribute is told before a missing one: a misspelt name is mostly both. */
function firstFault(issues: readonly z.core.$ZodIssue[], given: object): LeafvaultError {
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  const issue = unknown ?? issues[0];
  if (issue === undefined) return fault('BODY_NOT_OBJECT', '', 'it does not fit');
  if (issue.code === 'unrecognized_keys') return fault('ATTRIBUTE_UNKNOWN', nameOf([...issue.path, issue.keys[0] ?? '']), 'is not known');
  const name = nameOf(issue.path);
  const value = valueAt(given, issue.path);
  if (value === undefined) return fault('ATTRIBUTE_MISSING', name, 'is required');
  if (issue.code === 'invalid_type' || issue.code === 'invalid_union') return fault('ATTRIBUTE_TYPE', name, 'has the wrong type');
  if (issue.code === 'too_small' && typeof value === 'number' && value <= 0) {
    return new LeafvaultError('ATTRIBUTE_INVALID', `Reading the body failed: attribute ${name} ${issue.message}`, { details: { name, mayBeZero: issue.minimum === 0 && issue.inclusive !== false } });
  }
  if (issue.code !== 'invalid_value') return fault('ATTRIBUTE_INVALID', name, issue.message);
  if (typeof value !== 'string') return fault('ATTRIBUTE_TYPE', name, 'has the wrong type');
  return fault('ENUM_UNKNOWN', name, `is none of ${issue.values.join(', ')}`, value);
}

function fault(code: string, name: string, why: string, value?: string): LeafvaultError {
  return new LeafvaultError(code, `Reading the body failed: attribute ${name} ${why}`, { details: { name, value } });
}

function nameOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

function valueAt(given: object, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at === null || typeof at !== 'object' ? undefined : (at as Record<PropertyKey, unknown>)[key]), given);
}
