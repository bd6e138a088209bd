// What a finished plan says to the caller.
import type { RestoreResult } from '../contracts.ts';
import type { RestorePlan } from './plan.ts';

export function resultOf(plan: RestorePlan): RestoreResult {
  const steps = [
    ...plan.swaps.map((step) => ({ ...step, count: step.indexes })),
    ...plan.timeSeries.map((step) => ({ ...step, count: step.indexCount })),
  ];
  const collections = steps.map(({ from, db, name, proven, count, failedIndexes }) => ({
    from, to: `${db}.${name}`, documents: proven?.documents ?? 0, bytes: proven?.bytes ?? 0, hash: proven?.hash ?? '', indexes: count, failedIndexes,
  }));
  return {
    collections,
    documents: collections.reduce((sum, { documents }) => sum + documents, 0),
    bytes: collections.reduce((sum, { bytes }) => sum + bytes, 0),
    movedAside: plan.kept,
    undoable: plan.swaps.length + plan.asides.length + plan.views.length + plan.asideViews.length > 0,
    warnings: plan.warnings,
    leftOut: plan.leftOut,
  };
}
