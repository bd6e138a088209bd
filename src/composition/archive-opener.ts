// A snapshot as a stream of its archive: what a download reads.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { streamArchive } from '../engine/index.ts';
import type { Repository } from '../repository/index.ts';
import type { OpenArchive } from '../services/index.ts';

/** The reader of the repository lives as long as the stream; a stream that is destroyed ends it, too. */
export function archiveOpener({ repository, tempDir }: { readonly repository: Repository; readonly tempDir: string }): OpenArchive {
  return ({ snapshotId, selection, signal }): Readable => {
    const out = new PassThrough();
    const ended = new AbortController();
    out.once('close', () => ended.abort(new Error('The download ended')));
    const stop = AbortSignal.any([signal, ended.signal]);
    void send(out, stop).catch((error: unknown) => void out.destroy(error as Error));
    return out;

    async function send(target: PassThrough, abort: AbortSignal): Promise<void> {
      const reader = await repository.openReader();
      const folder = await mkdtemp(join(tempDir, 'download-'));
      try {
        const root = await repository.loadSnapshot(snapshotId);
        await pipeline(streamArchive({ reader, root, selection, hashSeed: repository.hashSeed, tempDir: folder, signal: abort }), target, { signal: abort });
      } finally {
        await reader.close();
        await rm(folder, { recursive: true, force: true });
      }
    }
  };
}
