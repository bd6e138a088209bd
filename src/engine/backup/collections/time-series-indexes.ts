// Indexes of a time series are kept on its buckets, under the buckets' field names; people know them by the series'
// own fields, and so does `listIndexes` of the series. This is the server's own translation back.
import { BSON_TYPE, rawChild, rawDocument, rawField, rawFields, readString, type RawValue } from '../../bson/index.ts';
import { copyField, EMPTY_DOCUMENT, withField } from './catalog.ts';

const MIN = 'control.min.';
const MAX = 'control.max.';
const DATA = 'data.';

/**
 * @param specification of an index on `system.buckets.<name>`
 * @param options of the buckets: names the meta field
 */
export function seriesIndex(specification: Buffer, options: Buffer): Buffer {
  const original = rawChild(specification, 'originalSpec');
  if (original !== null) return hiddenAs(specification, original);
  const key = rawChild(specification, 'key');
  return key === null ? specification : withField(specification, 'key', BSON_TYPE.document, seriesKey(key, metaFieldOf(options)));
}

/**
 * `collMod` hides the index of the buckets and leaves the original as it was made, which is what `listIndexes` of the
 * series states from then on (checked on 6.0.5). Whether queries use the index is what counts.
 */
function hiddenAs(specification: Buffer, original: Buffer): Buffer {
  return copyField(specification, withField(original, 'hidden', BSON_TYPE.bool, null), 'hidden');
}

function seriesKey(key: Buffer, metaField: string | null): Buffer {
  const fields: RawValue[] = [];
  for (const { name, type, valueAt, end } of rawFields(key)) {
    const value = key.subarray(valueAt, end);
    const mapped = seriesName(name, metaField);
    // A measurement is a pair of its minimum and maximum: one field of the series.
    if (mapped === fields.at(-1)?.name) continue;
    fields.push(name.startsWith(DATA) ? { name: mapped, type: BSON_TYPE.string, value: TWO_D_SPHERE } : { name: mapped, type, value });
  }
  return rawDocument(fields);
}

/** `data.x: "2dsphere_bucket"` stands for `x: "2dsphere"`. */
const TWO_D_SPHERE = Buffer.from('\x09\0\0\0' + '2dsphere\0', 'latin1');

function seriesName(name: string, metaField: string | null): string {
  if (metaField !== null && name === 'meta') return metaField;
  if (metaField !== null && name.startsWith('meta.')) return `${metaField}.${name.slice('meta.'.length)}`;
  for (const prefix of [MIN, MAX, DATA]) if (name.startsWith(prefix)) return name.slice(prefix.length);
  return name;
}

function metaFieldOf(options: Buffer): string | null {
  const series = rawChild(options, 'timeseries') ?? EMPTY_DOCUMENT;
  const field = rawField(series, 'metaField');
  return field === null ? null : readString(series, field);
}
