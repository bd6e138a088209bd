// A snapshot as a mongodump directory in a `.tar.gz`, streamed out of the repository: no copy on disk, bounded memory.
import { type Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import { throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { ArchiveOptions, StreamArchive } from '../contracts.ts';
import { archiveFiles, type ArchiveFile } from './archive-files.ts';

/** The folder that everything lies in: `mongorestore --dir dump` takes it. */
export const TOP_FOLDER = 'dump';

/** Fast: the wire is seldom slower than one core at a higher level. */
const GZIP_LEVEL = 2;

/**
 * The same snapshot and selection give the same bytes each time. A damaged chunk or a mismatch destroys the stream with
 * the named error; it never ends short.
 */
export const streamArchive: StreamArchive = (options) => {
  const tar = pack();
  const gzip = createGzip({ level: GZIP_LEVEL, chunkSize: 64 * 1024 });
  // Whatever ends the packing is told by the outer stream.
  tar.on('error', () => undefined);
  const endPacking = (): void => tar.destroy(new Error('The archive was closed'));
  const stop = (error: unknown): void => {
    endPacking();
    gzip.destroy(error instanceof Error ? error : new Error(String(error)));
  };
  const onAbort = (): void => stop(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  gzip.once('close', () => {
    options.signal.removeEventListener('abort', onAbort);
    // The reader went away: what is being packed has nowhere to go.
    endPacking();
  });
  tar.pipe(gzip);
  packAll(tar, options).then(() => tar.finalize(), stop);
  return gzip satisfies Readable;
};

async function packAll(tar: Pack, options: ArchiveOptions): Promise<void> {
  const mtime = new Date(options.root.createdAt);
  for await (const file of archiveFiles(options)) {
    throwIfAborted(options.signal);
    await packFile(tar, file, mtime);
  }
}

async function packFile(tar: Pack, file: ArchiveFile, mtime: Date): Promise<void> {
  const entry = tar.entry({ name: `${TOP_FOLDER}/${file.path}`, size: file.sizeBytes, mtime, mode: 0o600, uid: 0, gid: 0 });
  // An entry fails with its pack, and the pack's end is told by the outer stream.
  entry.on('error', () => undefined);
  let sent = 0;
  for await (const bytes of file.bytes()) {
    sent += bytes.length;
    if (sent > file.sizeBytes) break;
    if (tar.destroyed) return;
    if (!entry.write(bytes)) await untilEvent(entry, 'drain', tar);
  }
  if (sent !== file.sizeBytes) {
    throw new LeafvaultError('SNAPSHOT_CONTENT_MISMATCH', `Archiving ${file.path} failed: the snapshot holds ${sent > file.sizeBytes ? 'more' : 'fewer'} than the ${file.sizeBytes} bytes that it states`, {
      hint: 'Check the repository with `leafvault check --read-data`, and download another snapshot',
    });
  }
  const closed = untilEvent(entry, 'close', tar);
  entry.end(null);
  await closed;
}

/** Resolves with the event, or when nobody reads any more. Listeners don't pile up over many files. */
function untilEvent(entry: NodeJS.EventEmitter, event: 'drain' | 'close', tar: Pack): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      entry.off(event, done);
      tar.off('close', done);
      resolve();
    };
    entry.on(event, done);
    tar.on('close', done);
    if (tar.destroyed) done();
  });
}
