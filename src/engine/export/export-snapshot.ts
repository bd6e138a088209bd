// The story of an export: every collection as parts of extended JSON and, last, its metadata. docs/design/exports.md has the layout.
import { throwIfAborted } from '../../foundation/abort.ts';
import type { ExportOptions, ExportSnapshot } from '../contracts.ts';
import { fileNameOf, metadataOf } from '../archive/index.ts';
import { documentLength } from '../bson/index.ts';
import { bucketsOf } from '../mongo/namespaces.ts';
import { checkSettled, collectionEntries, readSettled, type CollectionEntry } from '../snapshot/index.ts';
import { createPartWriter } from './part-writer.ts';
import { documentJson } from './raw-json.ts';

/** Documents between two looks at the signal and two words of progress. */
const DOCUMENTS_AT_ONCE = 1000;

/**
 * Collections whose metadata is there are done; any other is written from its beginning.
 * @throws SNAPSHOT_CONTENT_MISMATCH, REPOSITORY_CHUNK_*, what the sink throws, the signal's reason
 */
export const exportSnapshot: ExportSnapshot = async (options) => {
  let total = 0;
  for await (const entry of collectionEntries(options.reader, options.root)) if (isExported(entry)) total += 1;
  const done = { collections: 0, documents: 0, bytes: 0, files: 0 };
  await options.onCollection(0, total);
  for await (const entry of collectionEntries(options.reader, options.root)) {
    if (!isExported(entry)) continue;
    throwIfAborted(options.signal);
    done.files += await exportCollection(options, entry, done);
    done.collections += 1;
    await options.onCollection(done.collections, total);
  }
  return done;
};

interface Done { documents: number; bytes: number }

/** @returns how many parts it has */
async function exportCollection(options: ExportOptions, entry: CollectionEntry, done: Done): Promise<number> {
  const { body } = entry;
  const metadata = `${fileNameOf(body.db)}/${fileNameOf(body.name)}/metadata.json`;
  const data = `${fileNameOf(body.db)}/${fileNameOf(body.kind === 'timeseries' ? bucketsOf(body.name) : body.name)}`;
  const partOf = (number: number): string => `${data}/${options.partName}.${number}.json.gz`;
  const tell = (documents: number, bytes: number): void => {
    done.documents += documents;
    done.bytes += bytes;
    options.onProgress({ phase: 'export', documentsDone: done.documents, documentsTotal: options.documents, bytesDone: done.bytes, bytesTotal: options.bytes, namespace: entry.namespace });
  };
  if (await options.sink.has(metadata)) {
    tell(body.documents, body.bytes);
    return countParts(options, partOf);
  }
  const parts = body.kind === 'view' ? 0 : await exportDocuments(options, entry, { partOf, tell });
  await options.sink.put(metadata, metadataOf(body, body.name));
  return parts;
}

async function exportDocuments(
  options: ExportOptions, entry: CollectionEntry, { partOf, tell }: { readonly partOf: (number: number) => string; readonly tell: (documents: number, bytes: number) => void },
): Promise<number> {
  const { reader, hashSeed, tempDir, signal, sink, partBytes } = options;
  const settled = readSettled(entry, { reader, hashSeed, tempDir, signal });
  const writer = createPartWriter((number, bytes) => sink.put(partOf(number), bytes), partBytes === undefined ? {} : { partBytes });
  for await (const { pieces } of settled.batches) {
    for (const piece of pieces) {
      let documents = 0;
      let from = 0;
      for (let at = 0; at < piece.length;) {
        const length = documentLength(piece, at);
        await writer.add(documentJson(piece.subarray(at, at + length)));
        at += length;
        documents += 1;
        if (documents % DOCUMENTS_AT_ONCE !== 0 && at < piece.length) continue;
        throwIfAborted(signal);
        tell(documents % DOCUMENTS_AT_ONCE === 0 ? DOCUMENTS_AT_ONCE : documents % DOCUMENTS_AT_ONCE, at - from);
        from = at;
      }
    }
  }
  // Before the metadata says that the collection is done.
  checkSettled(entry, settled.state);
  return writer.end();
}

async function countParts({ sink }: ExportOptions, partOf: (number: number) => string): Promise<number> {
  let parts = 0;
  while (await sink.has(partOf(parts))) parts += 1;
  return parts;
}

function isExported({ body: { kind } }: CollectionEntry): boolean {
  return kind !== 'users' && kind !== 'roles';
}
