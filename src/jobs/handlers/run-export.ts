// The export job: the engine writes collections, the job says where to and, last of all, that everything is there.
import type { Catalog } from '../../catalog/index.ts';
import type { ExportSnapshot, SnapshotBody } from '../../engine/contracts.ts';
import { PERMISSION_CHECK, type OpenBucketOf, type SnapshotExport } from '../../domain/exports.ts';
import { throwIfAborted } from '../../foundation/abort.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { Project } from '../../domain/records.ts';
import { JOB_PAYLOADS } from '../contracts.ts';
import type { JobContext, JobHandler } from '../job-handler.ts';
import type { RepositoryProvider } from '../repository-provider.ts';
import { requireExport, requireSnapshot } from './required-rows.ts';

export interface RunExportParts {
  readonly catalog: Catalog;
  readonly repositories: RepositoryProvider;
  readonly exportSnapshot: ExportSnapshot;
  readonly openBucket: OpenBucketOf;
  readonly clock: Clock;
}

const STATUS_EVERY_MS = 1000;
const NOTHING = new Uint8Array();

export function createRunExport(parts: RunExportParts): JobHandler {
  return async (context) => {
    const { catalog, repositories, openBucket, exportSnapshot } = parts;
    const { signal, tempDir, onProgress } = context;
    const { row, bucket } = await requireExport(catalog, JOB_PAYLOADS.export.parse(context.job.payload).exportId);
    const snapshot = await requireSnapshot(catalog, context.job);
    const repository = await repositories.forProject(row.projectId);
    const store = openBucket(bucket);
    const reader = await repository.openReader();
    try {
      await store.put(PERMISSION_CHECK, NOTHING, { signal });
      if (bucket.isDeclared !== store.isDeclared) await catalog.exportBuckets.setDeclared(bucket.id, store.isDeclared);
      const root = await repository.loadSnapshot(snapshot.id);
      const { source } = root.body as unknown as SnapshotBody;
      const status = createStatus(parts, context, row);
      const result = await exportSnapshot({
        reader, root, tempDir, signal, onProgress, hashSeed: repository.hashSeed, documents: snapshot.documents, bytes: snapshot.dataSizeBytes,
        partName: plainName(source.replicaSetName ?? row.clusterName), onCollection: status.tell,
        sink: { put: (key, bytes) => store.put(`${row.prefix}/${key}`, bytes, { signal }), has: (key) => store.has(`${row.prefix}/${key}`) },
      });
      throwIfAborted(signal);
      // Nobody else may have been given the job: what follows says that all of it is there.
      await context.fenced(() => Promise.resolve());
      await store.put(`${row.prefix}/.complete`, Buffer.from(`${JSON.stringify(await completeOf(catalog, row, { files: result.files, takenAt: snapshot.capturedAt ?? snapshot.requestedAt }), null, 2)}\n`), { signal });
      return (tx) => tx.exports.saveStatus(row.id, status.last());
    } finally {
      await reader.close();
      await store.close();
    }
  };
}

/** Written at most once a second: a snapshot may have many collections. */
function createStatus({ clock }: RunExportParts, { fenced }: JobContext, { id }: SnapshotExport): { tell(exported: number, total: number): Promise<void>; last(): Pick<SnapshotExport, 'exportedCollections' | 'totalCollections'> } {
  let last = { exportedCollections: 0, totalCollections: 0 };
  let writtenAt = -Infinity;
  return {
    async tell(exportedCollections, totalCollections) {
      last = { exportedCollections, totalCollections };
      const now = clock.now().getTime();
      if (Math.abs(now - writtenAt) < STATUS_EVERY_MS) return;
      writtenAt = now;
      await fenced((tx) => tx.exports.saveStatus(id, last));
    },
    last: () => last,
  };
}

async function completeOf(catalog: Catalog, row: SnapshotExport, { files, takenAt }: { readonly files: number; readonly takenAt: Date }): Promise<object> {
  const project: Project | null = await catalog.projects.get(row.projectId);
  const organization = project === null ? null : await catalog.organizations.get(project.orgId);
  return {
    orgId: project?.orgId ?? null, orgName: organization?.name ?? null, groupId: row.projectId, groupName: project?.name ?? null, clusterUniqueId: row.clusterId, clusterName: row.clusterName,
    snapshotInitiationDate: takenAt.toISOString(), totalFiles: files, labels: row.labels,
  };
}

function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_');
}

