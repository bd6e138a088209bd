// Warns of documents that a TTL index deletes as soon as it gets its real value: an old snapshot may be gone in a minute.
import { describeError } from '../../../foundation/errors.ts';
import type { Clock } from '../../../foundation/clock.ts';
import type { RepositoryReader } from '../../../repository/repository.ts';
import { showNamespace } from '../../mongo/namespaces.ts';
import { asBuffer, BSON_TYPE, documentLength, rawField, rawFields } from '../../bson/index.ts';
import { indexesOf, type CollectionEntry, type OrderedDocument } from '../../snapshot/index.ts';
import { isExpiring } from '../index-plan.ts';

const SAMPLE = 500;

/** Looks at the first documents of each collection with a TTL index. */
export async function warnOfExpiry(reader: RepositoryReader, entries: readonly CollectionEntry[], clock: Clock): Promise<string[]> {
  const warnings: string[] = [];
  for (const entry of entries) {
    const indexes = entry.body.kind === 'collection' ? indexesOf(entry.body).filter(isExpiring) : [];
    if (indexes.length === 0) continue;
    try {
      warnings.push(...(await warningsOf(reader, entry, indexes, clock)));
    } catch (error) {
      // A warning refuses nothing: what can't be read here is named where it is loaded.
      warnings.push(`whether documents of ${showNamespace(entry.namespace)} expire soon is not known: ${describeError(error)}`);
    }
  }
  return warnings;
}

async function warningsOf(reader: RepositoryReader, entry: CollectionEntry, indexes: readonly OrderedDocument[], clock: Clock): Promise<string[]> {
  const sample = await sampleOf(reader, entry);
  return indexes.flatMap((index) => {
    const gone = sample.filter((document) => isExpired(document, index, clock.now())).length;
    return gone === 0 ? [] : [`in ${showNamespace(entry.namespace)} ${gone} of the first ${sample.length} documents are older than the TTL index ${String(index.get('name'))} allows and go soon after the restore; the index strategy ALL_EXCEPT_TTL keeps them`];
  });
}

function isExpired(document: Buffer, index: OrderedDocument, now: Date): boolean {
  const key = index.get('key');
  const [field] = key instanceof Map ? [...(key as OrderedDocument).keys()] : [];
  const seconds = Number(index.get('expireAfterSeconds'));
  if (field === undefined || !Number.isFinite(seconds)) return false;
  return datesAt(document, field.split('.')).some((millis) => millis + seconds * 1000 < now.getTime());
}

/** Dates under a path, also in an array at its end, as milliseconds. Nothing beside the path is read. */
function datesAt(document: Buffer, [name, ...rest]: readonly string[]): number[] {
  const field = name === undefined ? null : rawField(document, name);
  if (field === null) return [];
  const value = document.subarray(field.valueAt, field.end);
  if (rest.length > 0) return field.type === BSON_TYPE.document || field.type === BSON_TYPE.array ? datesAt(value, rest) : [];
  if (field.type === BSON_TYPE.date) return [Number(value.readBigInt64LE())];
  if (field.type !== BSON_TYPE.array) return [];
  return [...rawFields(value)].filter(({ type }) => type === BSON_TYPE.date).map(({ valueAt }) => Number(value.readBigInt64LE(valueAt)));
}

async function sampleOf(reader: RepositoryReader, entry: CollectionEntry): Promise<Buffer[]> {
  const sample: Buffer[] = [];
  for await (const { id } of reader.refs(entry.scan)) {
    const bytes = asBuffer(await reader.readChunk(id));
    for (let at = 0; at < bytes.length && sample.length < SAMPLE; ) {
      const length = documentLength(bytes, at);
      sample.push(bytes.subarray(at, at + length));
      at += length;
    }
    break;
  }
  return sample;
}
