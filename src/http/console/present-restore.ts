// Restores and their jobs as our own API tells them: with everything that the APIs of the field have no field for.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { LeftOutReport } from '../../domain/leave-out.ts';
import { showInstant } from '../../domain/instant.ts';
import type { Job, Restore } from '../../domain/records.ts';
import type { RestoreOutcome } from '../../services/contracts.ts';

export interface RestoreView {
  readonly restore: Restore;
  readonly job: Job;
  readonly outcome: RestoreOutcome | null;
  readonly undoableUntil: Date | null;
  /** Null: not known since a rescue. */
  readonly undone: boolean | null;
}

export function presentRestore({ restore, job, outcome, undoableUntil, undone }: RestoreView): object {
  const { instant, proof } = restore;
  const asked = instant === null ? null : showInstant(instant.asked);
  return {
    id: restore.id,
    snapshotId: restore.snapshotId,
    instant: asked === null ? null : { oplogTs: asked.t, oplogInc: asked.i, chainId: instant?.chainId },
    delivery: restore.delivery,
    targetProjectId: restore.targetProjectId,
    targetClusterId: restore.targetClusterId,
    targetClusterName: restore.targetClusterName,
    job: presentJob(job),
    provenAt: proof?.provenAt.toISOString() ?? null,
    undoableUntil: undoableUntil?.toISOString() ?? null,
    undone,
    collections: outcome?.collections ?? [],
    movedAside: outcome?.movedAside ?? [],
    warnings: outcome?.warnings ?? job.warnings,
    leftOut: outcome?.leftOut == null ? null : presentLeftOut(outcome.leftOut),
  };
}

function presentLeftOut({ operations, commands, dependents, examples }: LeftOutReport): object {
  const told = ({ position, ...rest }: { readonly position: ClusterTime }): object => ({ oplogTs: position.t, oplogInc: position.i, ...rest });
  return { operations, commands: commands.map(told), dependents, examples: examples.map(told) };
}

export function presentJob(job: Job): object {
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    phase: job.phase,
    createdAt: job.createdAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
    documentsDone: job.documentsDone,
    documentsTotal: job.documentsTotal,
    bytesDone: job.bytesDone,
    bytesTotal: job.bytesTotal,
    errorCode: job.errorCode,
    message: job.errorMessage,
    hint: job.errorHint,
    pausedAt: job.pausedAt?.toISOString() ?? null,
    cancelRequestedAt: job.cancelRequestedAt?.toISOString() ?? null,
    warnings: job.warnings,
  };
}
