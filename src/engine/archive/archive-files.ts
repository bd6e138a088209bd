// The files of an archive, in order, each with its exact size and its bytes on demand.
import type { ArchiveOptions, SnapshotBody } from '../contracts.ts';
import { bucketsOf } from '../mongo/namespaces.ts';
import { isSelected, isWholeCluster, renamed } from '../restore/select-entries.ts';
import { checkSettled, collectionEntries, readSettled, type CollectionEntry } from '../snapshot/index.ts';
import { SYSTEM_VERSION_METADATA, systemVersion } from './auth-version.ts';
import { fileNameOf } from './file-names.ts';
import { metadataOf } from './metadata.ts';

export interface ArchiveFile {
  /** Below the top folder: `<db>/<file>`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** @throws SNAPSHOT_CONTENT_MISMATCH, REPOSITORY_CHUNK_* at the latest behind the last byte */
  bytes(): AsyncIterable<Uint8Array>;
}

export async function* archiveFiles(options: ArchiveOptions): AsyncGenerator<ArchiveFile> {
  let withAuth = false;
  for await (const entry of collectionEntries(options.reader, options.root)) {
    if (!isWanted(options, entry)) continue;
    withAuth ||= isAuth(entry);
    yield* filesOf(options, entry);
  }
  if (!withAuth) return;
  const body = options.root.body as unknown as SnapshotBody;
  yield wholeFile('admin/system.version.bson', systemVersion(body.source.featureCompatibilityVersion));
  yield wholeFile('admin/system.version.metadata.json', SYSTEM_VERSION_METADATA);
}

function* filesOf(options: ArchiveOptions, entry: CollectionEntry): Generator<ArchiveFile> {
  const { body } = entry;
  const { db, name } = isAuth(entry) ? body : renamed(options.selection, body.db, body.name);
  if (body.kind !== 'view') {
    const file = fileNameOf(body.kind === 'timeseries' ? bucketsOf(name) : name);
    yield { path: `${db}/${file}.bson`, sizeBytes: body.bytes, bytes: () => documentsOf(options, entry) };
  }
  yield wholeFile(`${db}/${fileNameOf(name)}.metadata.json`, metadataOf(body, name));
}

async function* documentsOf(options: ArchiveOptions, entry: CollectionEntry): AsyncGenerator<Uint8Array> {
  const settled = readSettled(entry, { reader: options.reader, hashSeed: options.hashSeed, tempDir: options.tempDir, signal: options.signal });
  for await (const batch of settled.batches) yield* batch.pieces;
  checkSettled(entry, settled.state);
}

function wholeFile(path: string, content: Buffer): ArchiveFile {
  return {
    path,
    sizeBytes: content.length,
    async *bytes() {
      yield content;
    },
  };
}

/** Users and roles belong to the whole cluster. */
function isWanted(options: ArchiveOptions, entry: CollectionEntry): boolean {
  if (isAuth(entry)) return isWholeCluster(options.selection);
  return isSelected(options.selection, entry.body.db, entry.body.name);
}

function isAuth({ body }: CollectionEntry): boolean {
  return body.kind === 'users' || body.kind === 'roles';
}
