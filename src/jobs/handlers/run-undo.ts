// Taking a restore back, and dropping what was kept for that once its time is over. Both write by the restore's own journal.
import type { RestoreRecord } from '../../catalog/index.ts';
import type { DropKept, UndoRestore, UndoResult } from '../../engine/contracts.ts';
import { JOB_PAYLOADS } from '../contracts.ts';
import type { JobContext, JobHandler } from '../job-handler.ts';
import { requireClusterUri, requireRestore } from './required-rows.ts';
import { createJournal, endChainOf, hoursFrom, settleAfter, type RunRestoreParts } from './run-restore.ts';

export interface RunUndoParts extends Pick<RunRestoreParts, 'catalog' | 'settle' | 'clock' | 'onPhase'> {
  readonly undo: UndoRestore;
  readonly dropKept: DropKept;
}

export function createRunUndo(parts: RunUndoParts): JobHandler {
  return async (context) => {
    const { restoreId, keepHours, undone } = JOB_PAYLOADS.undo.parse(context.job.payload);
    const restore = await requireRestore(parts.catalog, context.job);
    const result = await undoOrSettle(parts, context, restore, undone);
    return async (tx) => {
      await tx.restorePlans.markSettled(restoreId, 'new');
      await endChainOf(tx, restore.targetClusterId);
      await tx.restorePlans.keep(restoreId, hoursFrom(parts.clock.now(), keepHours));
      if (result !== null) await tx.restores.setMovedAside(restoreId, result.movedAside);
      await tx.jobs.addToMessage(context.job.claim.jobId, sayUndone(result, undone !== false));
    };
  };
}

async function undoOrSettle(parts: RunUndoParts, context: JobContext, restore: RestoreRecord, undone: boolean | undefined): Promise<UndoResult | null> {
  const { catalog, clock, onPhase } = parts;
  const wanted = undone === undefined ? undefined : undone ? 'old' : 'new';
  const target = { uri: await requireClusterUri(catalog, restore.targetClusterId, context) };
  const what = { restoreId: restore.id, target, journal: createJournal(catalog, context, restore.id) };
  try {
    const { signal, onProgress, log } = context;
    return await parts.undo({ ...what, undoId: context.job.claim.jobId, wanted, signal, onProgress, log, clock, ...(onPhase === undefined ? {} : { onPhase }) });
  } catch (error) {
    if ((await settleAfter(parts, context, what, restore, error)) !== 'new') throw error;
    return null;
  }
}

function sayUndone(result: UndoResult | null, undone: boolean): string {
  if (result === null) return `The ${undone ? 'replaced' : 'restored'} collections are live again`;
  return [`Live again: ${result.putBack.join(', ')}`, `kept in their place: ${result.movedAside.join(', ')}`, ...result.warnings].join('; ');
}

export function createDropKept(parts: RunUndoParts): JobHandler {
  return async (context) => {
    const restore = await requireRestore(parts.catalog, context.job);
    const uri = await requireClusterUri(parts.catalog, restore.targetClusterId, context);
    const { signal, log } = context;
    const still = await parts.dropKept({ restoreId: restore.id, target: { uri }, journal: createJournal(parts.catalog, context, restore.id), signal, log });
    return async (tx) => {
      await tx.restorePlans.markSettled(restore.id, 'new');
      await tx.restorePlans.keep(restore.id, null);
      await tx.restores.setMovedAside(restore.id, still);
      if (still.length > 0) await tx.jobs.addToMessage(context.job.claim.jobId, `Still kept, because applications wrote to them: ${still.join(', ')}`);
    };
  };
}
