// Drills and recovery as our own API tells them. Times of phases are milliseconds, sizes raw BSON bytes.
import type { Drill } from '../../domain/drill.ts';
import type { Cluster } from '../../domain/records.ts';
import type { ClusterRecovery } from '../../services/contracts.ts';

export function presentDrill(drill: Drill): object {
  return {
    id: drill.id,
    clusterId: drill.clusterId,
    snapshotId: drill.snapshotId,
    jobId: drill.jobId,
    trigger: drill.trigger,
    where: drill.place,
    targetClusterId: drill.targetClusterId,
    namespaces: drill.namespaces,
    state: drill.state,
    createdAt: drill.createdAt.toISOString(),
    startedAt: textOf(drill.startedAt),
    finishedAt: textOf(drill.finishedAt),
    phases: drill.phases,
    documents: drill.documents,
    bytes: drill.bytes,
    collections: drill.collections,
    indexes: drill.indexes,
    warnings: drill.warnings,
    errorCode: drill.errorCode,
    message: drill.errorMessage,
    hint: drill.errorHint,
  };
}

export function presentRecovery({ id, name }: Cluster, { lastProvenAt, order, nextDrillAt, lastDrill, lastProven, expected }: ClusterRecovery): object {
  return {
    clusterId: id,
    clusterName: name,
    lastProvenAt: textOf(lastProvenAt),
    drills: { everyHours: order.everyHours, at: order.at, where: order.place, target: order.target, namespaces: order.namespaces },
    nextDrillAt: textOf(nextDrillAt),
    lastDrill: lastDrill === null ? null : presentDrill(lastDrill),
    lastProvenDrillId: lastProven?.id ?? null,
    expectedRecovery: expected === null ? null : {
      seconds: expected.milliseconds / 1000, bytes: expected.bytes, phases: expected.phases.map(({ phase, ms }) => ({ phase, ms: Math.round(ms) })),
      unmeasured: expected.unmeasured, drills: expected.drills, drilledBytes: expected.drilledBytes,
    },
  };
}

function textOf(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
