// What the body of an entry says of a collection beside its documents: kind, names, options and indexes.
import type { CollectionBody } from '../../contracts.ts';
import { filterFields, hashOf, newHashState, rawArray, rawChild, rawDocument } from '../../bson/index.ts';
import type { ViewDefinition } from '../settle/read-instant.ts';
import type { ChosenCollection } from './choose-collections.ts';
import { uuidOf } from './list-catalog.ts';
import { seriesIndex } from './time-series-indexes.ts';

export type CollectionFacts = Pick<CollectionBody, 'kind' | 'db' | 'name' | 'uuid' | 'options' | 'indexes'>;

/** @param asListed indexes of a time series that are described by its own fields already, by name */
export function describeCollection({ collection, kind, name }: ChosenCollection, asListed: ReadonlyMap<string, Buffer> = new Map()): CollectionFacts {
  const options = kind === 'timeseries' ? timeSeriesOptions(collection.options) : collection.options;
  const indexes = [...collection.indexes].map(([index, specification]) => {
    const known = asListed.get(index);
    const translated = known !== undefined && rawChild(known, 'key')?.equals(rawChild(specification, 'key') ?? Buffer.alloc(0)) === true;
    return kind === 'timeseries' && !translated ? seriesIndex(specification, collection.options) : specification;
  });
  return { kind, db: collection.db, name, uuid: uuidOf(collection), options: options.toString('base64'), indexes: indexesDocument(indexes).toString('base64') };
}

export function describeView({ db, name, options }: ViewDefinition): CollectionBody {
  return {
    kind: 'view', db, name, uuid: null, options: options.toString('base64'), indexes: indexesDocument([]).toString('base64'),
    documents: 0, bytes: 0, hash: hashOf(newHashState()), capped: false, orderedHash: null, cutMask: 0,
  };
}

/** As `listCollections` states them for the time series: what belongs to the buckets only is left out. */
function timeSeriesOptions(buckets: Buffer): Buffer {
  return filterFields(buckets, (field) => field.name !== 'validator' && field.name !== 'clusteredIndex');
}

function indexesDocument(specifications: readonly Buffer[]): Buffer {
  return rawDocument([{ name: 'indexes', type: 4, value: rawArray(specifications.map((each) => Buffer.concat([Buffer.of(3), each]))) }]);
}
