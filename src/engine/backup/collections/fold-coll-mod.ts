// What `collMod` changes, as the oplog states it. A field that is not known here fails the attempt.
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { BSON_TYPE, rawChild, rawField, rawFields, readString } from '../../bson/index.ts';
import { joinNamespace, showNamespace } from '../../mongo/index.ts';
import { isTrue, unknownOperation, type CommandOp } from '../oplog/oplog-entry.ts';
import { copyField, EMPTY_DOCUMENT, numberIn, roundedSize, withDefaultText, withField, type CatalogCollection } from './catalog.ts';

type Change = (collection: CatalogCollection, object: Buffer, name: string) => void;

const copy: Change = (collection, object, name) => {
  collection.options = copyField(object, collection.options, name);
};

const CHANGES: Readonly<Record<string, Change>> = {
  collMod: () => undefined,
  index: changeIndex,
  validator: changeValidator,
  validationLevel: changeValidation,
  validationAction: changeValidation,
  changeStreamPreAndPostImages: changeImages,
  recordPreImages: copyIfTrue,
  expireAfterSeconds: changeExpiry,
  timeseries: changeTimeSeries,
  cappedSize: (collection, object, name) => setLimit(collection, 'size', roundedSize(numberIn(object, name))),
  cappedMax: (collection, object, name) => setLimit(collection, 'max', countedMax(numberIn(object, name))),
};

/** @throws LeafvaultError CAPTURE_OPERATION_UNKNOWN */
export function foldCollMod(collection: CatalogCollection, op: CommandOp, time: ClusterTime): void {
  for (const { name } of rawFields(op.object)) {
    const change = Object.hasOwn(CHANGES, name) ? CHANGES[name] : undefined;
    if (change === undefined) throw unknownOperation(`"collMod" of "${name}"`, showNamespace(joinNamespace(collection.db, collection.name)), time);
    change(collection, op.object, name);
  }
}

/** An empty validator takes the validator away and leaves level and action as they are (checked on 6.0.5). */
function changeValidator(collection: CatalogCollection, object: Buffer): void {
  const validator = rawChild(object, 'validator') ?? EMPTY_DOCUMENT;
  const removed = validator.length === EMPTY_DOCUMENT.length;
  const options = withField(collection.options, 'validator', BSON_TYPE.document, removed ? null : validator);
  collection.options = withValidationDefaults(options);
}

function changeValidation(collection: CatalogCollection, object: Buffer, name: string): void {
  collection.options = withValidationDefaults(copyField(object, collection.options, name));
}

/** Whichever of the three is changed, level and action are stated from then on (checked on 6.0.5). */
function withValidationDefaults(options: Buffer): Buffer {
  return withDefaultText(withDefaultText(options, 'validationLevel', 'strict'), 'validationAction', 'error');
}

/** Images that are switched off are not stated at all. */
function changeImages(collection: CatalogCollection, object: Buffer, name: string): void {
  const images = rawChild(object, name) ?? EMPTY_DOCUMENT;
  collection.options = withField(collection.options, name, BSON_TYPE.document, isTrue(images, 'enabled') ? images : null);
}

function copyIfTrue(collection: CatalogCollection, object: Buffer, name: string): void {
  collection.options = withField(collection.options, name, BSON_TYPE.bool, isTrue(object, name) ? Buffer.of(1) : null);
}

/** `expireAfterSeconds: "off"` takes the expiry of a clustered collection or time series away. */
function changeExpiry(collection: CatalogCollection, object: Buffer): void {
  const field = rawField(object, 'expireAfterSeconds');
  if (field?.type === BSON_TYPE.string) collection.options = withField(collection.options, 'expireAfterSeconds', 0, null);
  else copy(collection, object, 'expireAfterSeconds');
}

const BUCKET_SPANS: Readonly<Record<string, number>> = { seconds: 3600, minutes: 86_400, hours: 2_592_000 };

/** A coarser granularity brings its bucket span; custom spans (6.3) are stated themselves. */
function changeTimeSeries(collection: CatalogCollection, object: Buffer): void {
  const change = rawChild(object, 'timeseries') ?? EMPTY_DOCUMENT;
  let series: Buffer = rawChild(collection.options, 'timeseries') ?? EMPTY_DOCUMENT;
  for (const { name } of rawFields(change)) series = copyField(change, series, name);
  const granularity = rawField(change, 'granularity');
  const span = granularity === null ? undefined : BUCKET_SPANS[readString(change, granularity)];
  if (span !== undefined) {
    const value = Buffer.alloc(4);
    value.writeInt32LE(span, 0);
    series = withField(series, 'bucketMaxSpanSeconds', BSON_TYPE.int, value);
  }
  collection.options = withField(collection.options, 'timeseries', BSON_TYPE.document, series);
}

/** A `create` is logged with its limits as they come to be, a `collMod` with those that were asked for (checked on 6.0.5). */
function setLimit(collection: CatalogCollection, name: string, limit: number): void {
  const value = Buffer.alloc(8);
  value.writeBigInt64LE(BigInt(limit));
  collection.options = withField(collection.options, name, BSON_TYPE.long, value);
}

/** Zero and less stand for the most that there can be. */
function countedMax(max: number): number {
  return max <= 0 ? 2 ** 31 - 1 : max;
}

/** `index: {name, …}` sets what stands beside the name; false means that the mark is taken away. */
function changeIndex(collection: CatalogCollection, object: Buffer): void {
  const change = rawChild(object, 'index') ?? EMPTY_DOCUMENT;
  const name = rawField(change, 'name');
  const key = name === null ? undefined : readString(change, name);
  const specification = key === undefined ? undefined : collection.indexes.get(key);
  if (key === undefined || specification === undefined) return;
  let changed = specification;
  for (const field of rawFields(change)) {
    if (field.name === 'name' || field.name === 'keyPattern') continue;
    const removed = field.type === BSON_TYPE.bool && !isTrue(change, field.name);
    changed = withField(changed, field.name, field.type, removed ? null : change.subarray(field.valueAt, field.end));
  }
  // The conversion ends the preparation, and a server that is given both refuses the index.
  if (isTrue(change, 'unique')) changed = withField(changed, 'prepareUnique', BSON_TYPE.bool, null);
  collection.indexes.set(key, changed);
}
