// Index specifications of a snapshot as a target is asked to build them, and what waits until after the swap.
import { Int32 } from 'mongodb';
import type { CollectionBody } from '../contracts.ts';
import { encodeOrdered, indexesOf, optionsOf, type OrderedDocument } from '../snapshot/index.ts';
import type { Expiry } from './plan.ts';

export type IndexStrategy = 'ALL' | 'NONE' | 'ALL_EXCEPT_TTL';

export interface IndexPlan {
  /** For `createIndexes`; expiry replaced by a value that deletes nothing. */
  readonly indexes: readonly OrderedDocument[];
  readonly expiries: readonly Expiry[];
}

/** 68 years: a document only expires in it that a TTL index of the source would have deleted as well. */
const NEVER = new Int32(2147483647);

/** `_id` is left out: it comes with the collection. */
export function planIndexes(body: CollectionBody, strategy: IndexStrategy): IndexPlan {
  const options = optionsOf(body);
  const wanted = strategy === 'NONE' ? [] : indexesOf(body).filter((spec) => !isIdIndex(spec) && !(strategy === 'ALL_EXCEPT_TTL' && isExpiring(spec)));
  const expiries: Expiry[] = wanted.filter(hasExpiry).map((spec) => ({ index: String(spec.get('name')), value: expiryOf(spec) }));
  if (hasExpiry(options) && strategy !== 'ALL_EXCEPT_TTL') expiries.push({ index: null, value: expiryOf(options) });
  return { indexes: wanted.map((spec) => asSpecification(spec, options)), expiries };
}

/** The index on `_id`, or the clustered one that stands for it. */
export function isIdIndex(spec: OrderedDocument): boolean {
  return spec.get('name') === '_id_' || spec.get('clustered') === true;
}

/** True for a TTL index, and for options of a collection that expires by itself. */
export function isExpiring(holder: OrderedDocument): boolean {
  return holder.has('expireAfterSeconds');
}

/** NaN and the infinities expire nothing; set by `collMod`, a 6.0 server would make 0 of them and delete everything. */
function hasExpiry(holder: OrderedDocument): boolean {
  return isExpiring(holder) && Number.isFinite(Number(holder.get('expireAfterSeconds')));
}

function asSpecification(spec: OrderedDocument, options: OrderedDocument): OrderedDocument {
  const asked = new Map(spec);
  asked.delete('ns');
  asked.delete('background');
  if (isExpiring(spec)) asked.set('expireAfterSeconds', NEVER);
  // Without a collation an index would inherit the collection's; the source's has the simple one then.
  if (options.has('collation') && !asked.has('collation') && Number(asked.get('v') ?? 2) >= 2) asked.set('collation', { locale: 'simple' });
  return asked;
}

function expiryOf(holder: OrderedDocument): string {
  return encodeOrdered(new Map([['expireAfterSeconds', holder.get('expireAfterSeconds')]])).toString('base64');
}
