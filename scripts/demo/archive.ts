// Reads a downloaded snapshot as a stranger would: gunzip, tar, one .bson and one .metadata.json for each collection.
import { createHash } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { hashOf } from './fingerprint.ts';
import { documentsIn, rawIdOf } from './raw-bson.ts';
import type { Documents } from './prove.ts';

export interface ArchiveContent {
  readonly files: number;
  readonly bytes: number;
  readonly sha1: string;
  /** Time series appear under `db.system.buckets.name`. */
  readonly documents: Documents;
  /** Namespace -> parsed metadata. */
  readonly metadata: ReadonlyMap<string, { readonly indexes?: readonly unknown[]; readonly options?: unknown }>;
}

/** Fetches and reads the archive in one pass. @throws Error on broken gzip, tar, BSON or JSON */
export async function readArchive(url: string, onBytes: (bytes: number) => void): Promise<ArchiveContent> {
  const response = await fetch(url);
  if (response.status !== 200 || response.body === null) throw new Error(`Downloading the archive answered ${response.status}`);
  const sha1 = createHash('sha1');
  let bytes = 0;
  const source = Readable.fromWeb(response.body as import('node:stream/web').ReadableStream<Uint8Array>);
  source.on('data', (part: Uint8Array) => {
    sha1.update(part);
    onBytes((bytes += part.length));
  });
  const documents = new Map<string, Map<string, string>>();
  const metadata = new Map<string, { indexes?: unknown[]; options?: unknown }>();
  let files = 0;
  const tar = extract();
  const unpacked = source.pipe(createGunzip());
  unpacked.on('error', (error) => tar.destroy(error));
  source.on('error', (error) => tar.destroy(error));
  unpacked.pipe(tar);
  for await (const entry of tar) {
    const [db, file] = entry.header.name.split('/').slice(-2);
    if (entry.header.type !== 'file' || db === undefined || file === undefined) {
      entry.resume();
      continue;
    }
    files += 1;
    const content = await buffer(entry);
    const collection = decodeURIComponent(file.replace(/\.(bson|metadata\.json)$/, ''));
    if (file.endsWith('.bson')) documents.set(`${db}.${collection}`, new Map([...documentsIn(content)].map((raw) => [rawIdOf(raw), hashOf(raw)])));
    else if (file.endsWith('.metadata.json')) metadata.set(`${db}.${collection}`, JSON.parse(content.toString('utf8')) as { indexes?: unknown[] });
  }
  return { files, bytes, sha1: sha1.digest('hex'), documents, metadata };
}
