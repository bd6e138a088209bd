// The door of restoring.
export { RESTORE_ERRORS } from './errors.ts';
export { findRehearsals } from './rehearsal/find-rehearsals.ts';
export { rehearseRestore, settleRehearsal } from './rehearsal/rehearse-restore.ts';
export { restoreSnapshot } from './restore.ts';
export { settleRestore } from './settle-restore.ts';
export { standsElsewhere } from './stands-elsewhere.ts';
export { dropKept } from './undo/drop-kept.ts';
export { undoRestore } from './undo/undo-restore.ts';
