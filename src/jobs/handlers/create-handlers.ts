// All handlers, from what app.ts hands in.
import type { Catalog } from '../../catalog/index.ts';
import type { CaptureOptions, CaptureSnapshot, RestoreOptions, RestoreSnapshot, SettleRestore } from '../../engine/contracts.ts';
import type { Clock } from '../../foundation/clock.ts';
import { createRunDrill, createSettleDrill, type RunDrillParts } from '../drills/run-drill.ts';
import type { JobHandler, JobHandlers } from '../job-handler.ts';
import type { RepositoryProvider } from '../repository-provider.ts';
import { createRunExport, type RunExportParts } from './run-export.ts';
import { createPrepareDownload } from './prepare-download.ts';
import { createRunRestore, createSettleRestore, type RunRestoreParts } from './run-restore.ts';
import { createDropKept, createRunUndo, type RunUndoParts } from './run-undo.ts';
import { createRunSnapshot } from './run-snapshot.ts';
import { createVerify } from './verify.ts';

export interface HandlerParts extends Pick<RunUndoParts, 'undo' | 'dropKept'>, Pick<RunRestoreParts, 'slicesOfChain'>, Pick<RunDrillParts, 'rehearse' | 'settleRehearsal' | 'startThrowaway' | 'drillMongod'>, Pick<RunExportParts, 'exportSnapshot' | 'openBucket'> {
  readonly catalog: Catalog;
  readonly repositories: RepositoryProvider;
  readonly capture: CaptureSnapshot;
  readonly restore: RestoreSnapshot;
  readonly settle: SettleRestore;
  readonly clock: Clock;
  readonly limits?: CaptureOptions['limits'];
  readonly deltas?: CaptureOptions['deltas'];
  readonly onPhase?: RestoreOptions['onPhase'];
}

export function createHandlers(parts: HandlerParts): JobHandlers {
  return {
    snapshot: createRunSnapshot(parts),
    restore: createRunRestore(parts),
    undo: createRunUndo(parts),
    dropKept: createDropKept(parts),
    prepareDownload: createPrepareDownload(parts),
    verify: createVerify(parts),
    drill: createRunDrill(parts),
    export: createRunExport(parts),
    settle: settleByKind(createSettleRestore(parts), createSettleDrill(parts)),
  };
}

/** What is left on a target is in the plan of a restore, or in that of a drill. */
function settleByKind(ofRestore: JobHandler, ofDrill: JobHandler): JobHandler {
  return (context) => (context.job.kind === 'drill' ? ofDrill(context) : ofRestore(context));
}
