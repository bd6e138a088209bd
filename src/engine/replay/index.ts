// The door of replay: reading a window of the oplog, and folding documents to its border.
export { applyDiff, type OnMisfit } from './apply-diff.ts';
export { applyUpdate, updateForm } from './apply-update.ts';
export { REPLAY_ERRORS, type ReplayErrorCode } from './errors.ts';
export { foldDocument, type FoldSubject, type OnSkipped } from './fold-document.ts';
export { laneOf } from './lane-of.ts';
export { createOperationsTable, type CollectionNumber, type NewOperation, type OperationsTable, type PlacedOperation, type ReplayOperation } from './operations-table.ts';
export { createLeftOut, refuseBeforeBase, refuseUnmatched, type LeftOut, type LeftOutCommand } from './left-out.ts';
export { settleLeftOut, EXAMPLES, type CollectionLeftOut } from './settle-left-out.ts';
export { readWindow, type ReadWindowOptions, type ReplayWindow, type WindowCounts, type WrittenTogether } from './read-window.ts';
