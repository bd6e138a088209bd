// Warns of documents that a TTL index deletes as soon as it gets its real value: an old snapshot may be gone in a minute.
import { BSON, type Document } from 'mongodb';
import type { Clock } from '../../../foundation/clock.ts';
import type { RepositoryReader } from '../../../repository/repository.ts';
import { showNamespace } from '../../mongo/namespaces.ts';
import { asBuffer, documentLength } from '../../bson/index.ts';
import { indexesOf, type CollectionEntry, type OrderedDocument } from '../../snapshot/index.ts';
import { isExpiring } from '../index-plan.ts';

const SAMPLE = 500;

/** Looks at the first documents of each collection with a TTL index. */
export async function warnOfExpiry(reader: RepositoryReader, entries: readonly CollectionEntry[], clock: Clock): Promise<string[]> {
  const warnings: string[] = [];
  for (const entry of entries) {
    const indexes = entry.body.kind === 'collection' ? indexesOf(entry.body).filter(isExpiring) : [];
    if (indexes.length === 0) continue;
    const sample = await sampleOf(reader, entry);
    for (const index of indexes) {
      const gone = sample.filter((document) => isExpired(document, index, clock.now())).length;
      if (gone > 0) warnings.push(`in ${showNamespace(entry.namespace)} ${gone} of the first ${sample.length} documents are older than the TTL index ${String(index.get('name'))} allows and go soon after the restore; the index strategy ALL_EXCEPT_TTL keeps them`);
    }
  }
  return warnings;
}

function isExpired(document: Document, index: OrderedDocument, now: Date): boolean {
  const key = index.get('key');
  const [field] = key instanceof Map ? [...(key as OrderedDocument).keys()] : [];
  const seconds = Number(index.get('expireAfterSeconds'));
  const value: unknown = field === undefined ? undefined : field.split('.').reduce<unknown>((at, part) => (at as Document | null | undefined)?.[part], document);
  const dates = (Array.isArray(value) ? value : [value]).filter((each) => each instanceof Date);
  return Number.isFinite(seconds) && dates.some((date) => date.getTime() + seconds * 1000 < now.getTime());
}

async function sampleOf(reader: RepositoryReader, entry: CollectionEntry): Promise<Document[]> {
  const sample: Document[] = [];
  for await (const { id } of reader.refs(entry.scan)) {
    const bytes = asBuffer(await reader.readChunk(id));
    for (let at = 0; at < bytes.length && sample.length < SAMPLE; ) {
      const length = documentLength(bytes, at);
      sample.push(BSON.deserialize(bytes.subarray(at, at + length), { validation: { utf8: false } }));
      at += length;
    }
    break;
  }
  return sample;
}
