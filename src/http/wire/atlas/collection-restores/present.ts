// Collection restore jobs in Atlas's form.
import type { NamespaceChoice } from '../../../../domain/collection-restore.ts';
import type { CollectionRestore, RestoredCollection } from '../../../../services/contracts.ts';
import { isoSeconds, isoSecondsOrUnset } from '../../time-text.ts';

/** Of the job while it runs; what is before is INITIALIZING. */
const IN_PROGRESS = ['load', 'replay', 'indexes', 'prove'];
const FINALIZING = ['swap', 'finish'];

/** In the order of the alphabet at every level: the text of such a page is made in a fifth of the time. */
export function presentCollectionRestore({ restore, request, indexStrategy, job, collections }: CollectionRestore, root: string): object {
  const sum = (of: (each: RestoredCollection) => number): number => collections.reduce((total, each) => total + of(each), 0);
  const totalDocuments = sum((each) => each.totalDocuments);
  return {
    collectionSuffix: request.collectionSuffix ?? undefined,
    collections: request.collections.map(presentChoice),
    createdAt: isoSeconds(restore.createdAt),
    databaseSuffix: request.databaseSuffix ?? undefined,
    databases: request.databases.map(presentChoice),
    errorMessage: job.state === 'failed' ? job.errorMessage ?? undefined : undefined,
    finishedAt: isoSecondsOrUnset(job.finishedAt),
    id: restore.id,
    indexStatus: indexStatusOf(collections),
    indexStrategy,
    links: [{ href: `${root}/groups/${restore.projectId}/clusters/${encodeURIComponent(restore.clusterName)}/collectionRestoreJobs/${restore.id}`, rel: 'self' }],
    ...instantOf(restore.instant),
    restoredDocuments: job.state === 'running' && job.phase === 'load' ? Math.min(job.documentsDone, totalDocuments) : sum((each) => each.restoredDocuments),
    snapshotId: restore.instant === null ? restore.snapshotId : undefined,
    state: stateOf(job),
    targetClusterName: restore.targetClusterName ?? undefined,
    targetGroupId: restore.targetProjectId ?? undefined,
    totalDocuments,
    writeStrategy: request.writeStrategy,
  };
}

export function presentRestoredCollection({ source, target, effectiveTarget, state, restoredDocuments, totalDocuments, index }: RestoredCollection): object {
  return {
    effectiveTargetNamespace: effectiveTarget,
    indexStatus: { errorMessage: index.errorMessage ?? undefined, failedIndexes: index.failed.slice(0, 64), state: index.state },
    restoredDocuments,
    sourceNamespace: source,
    state,
    targetNamespace: target,
    totalDocuments,
  };
}

function presentChoice({ source, target }: NamespaceChoice): object {
  return { sourceNamespace: source, targetNamespace: target };
}

function instantOf(instant: CollectionRestore['restore']['instant']): object {
  if (instant === null) return {};
  if ('time' in instant.asked) return { pointInTimeUtcSeconds: Math.floor(instant.asked.time.getTime() / 1000) };
  return { oplogInc: instant.asked.border.i, oplogTs: instant.asked.border.t };
}

function stateOf({ state, phase }: CollectionRestore['job']): string {
  switch (state) {
    case 'completed': return 'SUCCESSFUL';
    case 'failed': return 'FAILED';
    case 'cancelled': return 'CANCELED';
    case 'queued': return 'INITIALIZING';
    case 'running': return IN_PROGRESS.includes(phase ?? '') ? 'IN_PROGRESS' : FINALIZING.includes(phase ?? '') ? 'FINALIZING' : 'INITIALIZING';
  }
}

/** The worst of them counts. */
function indexStatusOf(collections: readonly RestoredCollection[]): object {
  const states = collections.map(({ index }) => index.state);
  const failedCollectionCount = states.filter((state) => state === 'FAILED').length;
  const worst = (['FAILED', 'NOT_RESTORED', 'IN_PROGRESS', 'NOT_STARTED'] as const).find((state) => states.includes(state));
  return { failedCollectionCount, state: worst ?? (states.length === 0 ? 'NOT_STARTED' : 'SUCCESSFUL') };
}
