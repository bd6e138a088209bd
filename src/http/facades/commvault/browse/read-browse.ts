// What `DoBrowse` is asked for: enumerations that come as numbers or words, what a query filters, counts and pages.
import { LeafvaultError } from '../../../../foundation/errors.ts';
import { readBody } from '../../../wire/read-body.ts';
import { unsupported } from '../errors.ts';
import { word } from '../levels.ts';
import { doBrowseBody, type Association, type BrowseQuery } from '../schemas.ts';
import { fitsPattern, type Item } from './items.ts';

export type Question = { readonly id: string; fits(item: Item): boolean } & (
  | { readonly kind: 'items'; readonly bySize: boolean; readonly ascending: boolean; readonly skip: number; readonly limit: number }
  | { readonly kind: 'number'; readonly of: Aggregate }
);
export type Aggregate = 'count' | 'min' | 'max' | 'sum' | 'avg';

export interface Browse {
  /** `versions`: the same path in every snapshot. */
  readonly kind: 'browse' | 'find' | 'versions';
  readonly entity: Association;
  readonly paths: readonly string[];
  readonly from: Date | null;
  readonly until: Date | null;
  /** Of the backup whose snapshot is meant; null: the newest. */
  readonly jobNumber: number | null;
  readonly questions: readonly Question[];
}

const KINDS: Readonly<Record<string, Browse['kind']>> = { 0: 'browse', browse: 'browse', 1: 'find', find: 'find', 2: 'versions', all_versions: 'versions' };
/** Of the vendor's, and what they would do. */
const REFUSED: Readonly<Record<string, string>> = { 3: 'A list of media', list_media: 'A list of media', 7: 'Deleting a part of a snapshot', delete_data: 'Deleting a part of a snapshot' };
const AGGREGATES: Readonly<Record<string, Aggregate>> = { 4: 'count', count: 'count', min: 'min', max: 'max', sum: 'sum', avg: 'avg' };
const DEFAULT_LIMIT = 1000;
const MOST_LIMIT = 100_000;

/** @throws TASK_UNSUPPORTED, ENUM_UNKNOWN beside the faults of the body */
export function readBrowse(body: unknown): Browse {
  const { opType, entity = {}, paths = [], timeRange: { fromTime = 0, toTime = 0 } = {}, advOptions: { advConfig = {} } = {}, queries = [{}] } = readBody(doBrowseBody, body);
  const operation = word(opType);
  if (REFUSED[operation] !== undefined) throw unsupported(REFUSED[operation]);
  if (advConfig.threatAnalysisRequest === true) throw unsupported('Looking for threats');
  if (word(advConfig.compareBackupsReqType) !== '0') throw unsupported('Comparing backups');
  const told = paths.map(({ path = '' }) => path);
  return {
    kind: known(KINDS, operation, 'opType'),
    entity,
    paths: told.length === 0 ? [''] : told,
    from: fromTime === 0 ? null : new Date(fromTime * 1000),
    // To the end of its second.
    until: toTime === 0 ? null : new Date(toTime * 1000 + 999),
    jobNumber: advConfig.browseAdvancedConfigBrowseByJob?.jobId || null,
    questions: queries.map(questionOf),
  };
}

function questionOf(query: BrowseQuery): Question {
  const { queryId: id = '', whereClause = [], dataParam: { sortParam = {}, paging = {} } = {}, aggrParam = {}, topBottomParam = {} } = query;
  const filters = whereClause.map(filterOf);
  const fits = (item: Item): boolean => filters.every((filter) => filter(item));
  const type = word(query.type);
  if (type === '0' || type === 'data') {
    // By the words: a sort by number is not known to mean another order than that of the names.
    const { ascending = true, sortBy: [sortBy = 0] = [] } = sortParam;
    const { skipNode = 0, firstNode = 0, pageSize = 0 } = paging;
    return { id, fits, kind: 'items', bySize: isSize(sortBy), ascending: typeof sortBy === 'number' || ascending, skip: skipNode + firstNode, limit: Math.min(MOST_LIMIT, pageSize || DEFAULT_LIMIT) };
  }
  if (type === 'topbottom') {
    if (!isSize(topBottomParam.field)) throw unsupported('The largest and smallest by something else than FileSize');
    return { id, fits, kind: 'items', bySize: true, ascending: topBottomParam.ascending ?? false, skip: 0, limit: Math.min(MOST_LIMIT, topBottomParam.count || DEFAULT_LIMIT) };
  }
  if (type !== '1' && type !== 'aggregate') throw unknown('queries.type', type);
  const of = known(AGGREGATES, word(aggrParam.aggrType), 'aggrType');
  if (of !== 'count' && !isSize(aggrParam.field)) throw unsupported('A number of something else than FileSize');
  return { id, fits, kind: 'number', of };
}

type Where = NonNullable<BrowseQuery['whereClause']>[number];

function filterOf({ connector, criteria: { field, dataOperator, values = [] } }: Where): (item: Item) => boolean {
  if (!['0', 'and'].includes(word(connector))) throw unsupported('A filter that is joined by something else than AND');
  const given = values.map(String);
  switch (word(field)) {
    case 'filename': return ({ name }) => given.some((pattern) => fitsPattern(name, pattern));
    case 'filesize': return sizeFilter(word(dataOperator), Number(given[0]));
    case 'flags': {
      const wanted = given.map((each) => each.toLowerCase());
      if (wanted.some((each) => each !== 'file' && each !== 'folder')) throw unsupported(`A filter by the flags ${given.join(', ')}`);
      return ({ collection }) => wanted.includes(collection === null ? 'folder' : 'file');
    }
    default: throw unsupported(`A filter by ${String(field)}`);
  }
}

/** Of collections: a folder has no size to look for. */
function sizeFilter(operator: string, bytes: number): (item: Item) => boolean {
  if (!Number.isFinite(bytes)) throw new LeafvaultError('ATTRIBUTE_INVALID', 'Reading the body failed: FileSize is compared with a number', { details: { name: 'whereClause.criteria.values' } });
  const compare: Readonly<Record<string, (size: number) => boolean>> = {
    gte: (size) => size >= bytes, lte: (size) => size <= bytes, gt: (size) => size > bytes, lt: (size) => size < bytes, eq: (size) => size === bytes,
  };
  // The SDK's own word for equal is EQUALSBLAH.
  const fits = known(compare, operator.startsWith('equal') ? 'eq' : operator, 'dataOperator');
  return ({ collection, bytes: size }) => collection !== null && fits(size);
}

function isSize(field: string | number | undefined): boolean {
  return ['filesize', 'size'].includes(word(field));
}

function known<T>(table: Readonly<Record<string, T>>, key: string, name: string): T {
  const found = Object.hasOwn(table, key) ? table[key] : undefined;
  if (found === undefined) throw unknown(name, key);
  return found;
}

function unknown(name: string, value: string): LeafvaultError {
  return new LeafvaultError('ENUM_UNKNOWN', `Reading the body failed: ${name} ${value} is not known`, { details: { name: `${name} [${value}]` } });
}
