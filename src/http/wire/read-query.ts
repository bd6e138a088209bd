// The query parameters that every operation of the family knows.
import type { Page } from '../../domain/records.ts';
import { LeafvaultError } from '../../foundation/errors.ts';

export interface MmsQuery {
  readonly envelope: boolean;
  readonly pretty: boolean;
  readonly includeCount: boolean;
}

const DEFAULT_ITEMS = 100;
const MOST_ITEMS = 500;
/** Far beyond any list; keeps the offset a safe integer. */
const LAST_PAGE = 2_147_483_647;

/** @throws QUERY_INVALID for a word that is neither `true` nor `false`, in any case */
export function readMmsQuery(query: unknown): MmsQuery {
  return { envelope: flag(query, 'envelope', false), pretty: flag(query, 'pretty', false), includeCount: flag(query, 'includeCount', true) };
}

/** The same for the answer to a failure, which must not fail itself: another word leaves the default. */
export function readMmsQueryOfFailure(query: unknown): Pick<MmsQuery, 'envelope' | 'pretty'> {
  return { envelope: word(query, 'envelope') === 'true', pretty: word(query, 'pretty') === 'true' };
}

/** @throws QUERY_INVALID for a word that is neither `true` nor `false`, in any case */
export function flag(query: unknown, name: string, otherwise: boolean): boolean {
  const value = word(query, name);
  if (value === undefined) return otherwise;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new LeafvaultError('QUERY_INVALID', `Reading the query failed: ${name} must be true or false`, { details: { name, value } });
}

/** @throws QUERY_INVALID for a page below 1 or a size outside 1 to 500. */
export function readPage(query: unknown): Page {
  return {
    pageNumber: wholeNumber(query, 'pageNum', 1, LAST_PAGE) ?? 1,
    itemsPerPage: wholeNumber(query, 'itemsPerPage', 1, MOST_ITEMS) ?? DEFAULT_ITEMS,
  };
}

/** Both ends included; undefined where it is not given. @throws QUERY_INVALID */
export function wholeNumber(query: unknown, name: string, least: number, most: number): number | undefined {
  const text = parameter(query, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (value >= least && value <= most) return value;
  throw new LeafvaultError('QUERY_INVALID', `Reading the query failed: ${name} must be a whole number from ${least} to ${most}`, { details: { name, value: text } });
}

function word(query: unknown, name: string): string | undefined {
  return parameter(query, name)?.toLowerCase();
}

/** The parameter's text; of several with one name the first. */
export function parameter(query: unknown, name: string): string | undefined {
  const value = (query as Readonly<Record<string, unknown>> | null)?.[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

/** The same where clients write names in any case. */
export function parameterInAnyCase(query: unknown, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const key = Object.keys((query ?? {}) as object).find((each) => each.toLowerCase() === wanted);
  return key === undefined ? undefined : parameter(query, key);
}

/** All texts of a parameter that may come several times; undefined where it is not given. */
export function everyParameter(query: unknown, name: string): readonly string[] | undefined {
  const value = (query as Readonly<Record<string, unknown>> | null)?.[name];
  const all: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  const texts = all.filter((each) => typeof each === 'string');
  return texts.length === 0 ? undefined : texts;
}
