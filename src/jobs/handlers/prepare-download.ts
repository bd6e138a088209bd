// Prepares a download: sees that the snapshot can be read in order from end to end, then lets the hours run.
// Nothing is staged: the archive is made from the repository while it is fetched.
import type { Catalog } from '../../catalog/index.ts';
import { throwIfAborted } from '../../foundation/abort.ts';
import type { RepositoryReader, SnapshotEntry } from '../../repository/repository.ts';
import type { JobContext, JobHandler } from '../job-handler.ts';
import type { RepositoryProvider } from '../repository-provider.ts';
import { requireRestore, requireSnapshot } from './required-rows.ts';

export interface PrepareDownloadParts { readonly catalog: Catalog; readonly repositories: RepositoryProvider }

export function createPrepareDownload({ catalog, repositories }: PrepareDownloadParts): JobHandler {
  return async (context) => {
    const restore = await requireRestore(catalog, context.job);
    const snapshot = await requireSnapshot(catalog, restore);
    const repository = await repositories.forProject(snapshot.projectId);
    const reader = await repository.openReader();
    try {
      const root = await repository.loadSnapshot(snapshot.id);
      let documents = 0;
      let bytes = 0;
      for await (const entry of reader.entries(root)) {
        throwIfAborted(context.signal);
        // Of use to an instant behind the snapshot only: no part of a download.
        if (entry.body['temporary'] === true) continue;
        const size = await readLists(reader, entry, context.signal);
        documents += size.records;
        bytes += size.bytes;
        context.onProgress({
          phase: 'prepare', documentsDone: documents, documentsTotal: snapshot.documents, bytesDone: bytes,
          bytesTotal: snapshot.dataSizeBytes, namespace: entry.name,
        });
      }
    } finally {
      await reader.close();
    }
    return (tx) => tx.restores.setDownloadReady(restore.id);
  };
}

/** Reads the pages of an entry's lists, not the documents: each page is verified, and each chunk's place is known. */
async function readLists(reader: RepositoryReader, { lists }: SnapshotEntry, signal: JobContext['signal']): Promise<{ records: number; bytes: number }> {
  const size = { records: 0, bytes: 0 };
  for (const list of Object.values(lists)) {
    for await (const { records, rawBytes } of reader.refs(list)) {
      throwIfAborted(signal);
      size.records += records;
      size.bytes += rawBytes;
    }
  }
  return size;
}
