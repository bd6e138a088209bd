// Codes of restoring, and of writing raw documents for it.

export const RESTORE_ERRORS = {
  RESTORE_PREFLIGHT_REFUSED: 'The restore was refused before it began; details.reasons lists everything that is in the way',
  RESTORE_SELECTION_EMPTY: 'What was chosen is not in the snapshot',
  RESTORE_DOCUMENT_REFUSED: 'The target can not store a document as it is; details.documents names it',
  RESTORE_TARGET_FAILED: 'The target answered with an error that no step expects, or stopped answering',
  RESTORE_WRITE_FAILED: 'Writing to the target failed',
  RESTORE_COLLECTION_REPLACED: 'A collection was dropped, or replaced by another one, while it was being written',
  RESTORE_SHADOW_FAILED: 'A collection or view could not be made on the target',
  RESTORE_PROOF_FAILED: 'What was read back from the target differs from the snapshot',
  RESTORE_SWAP_FAILED: 'A rename of the swap failed; everything was put back',
  RESTORE_FINISH_FAILED: 'The new collections are live, but a last step failed; trying again completes it',
  RESTORE_UNDO_REFUSED: 'A restore can not be undone; details.reasons lists everything that is in the way',
  RESTORE_BASE_UNSUITABLE: 'A snapshot can not be brought to an instant: it is not of one instant, of another replica set, or lacks the UUIDs of its collections',
  RESTORE_INSTANT_OUTSIDE: 'The kept oplog does not reach from the snapshot to the instant. details: {base, border, reachesTo}',
  RESTORE_REPLAY_REFUSED: 'The target refused an operation of the oplog. details: {namespace, id, position, kind}',
  RESTORE_REPLAY_INTERRUPTED: 'The target was lost, or changed its primary, while operations were replayed; the next attempt begins with empty collections',
  RESTORE_LEAVE_OUT_UNMATCHED: 'What was to be left out does not lie between the base and the instant. details: {unmatched}',
  RESTORE_LEAVE_OUT_UNSUITABLE: 'What was to be left out can not be. details: {position, namespace, reason}',
  RESTORE_LEAVE_OUT_CONFLICT: 'With what was to be left out, two collections would have one name at the instant. details: {namespace}',
  RESTORE_LEAVE_OUT_DEPENDENTS: 'Later operations build on what was to be left out. details: {operations, commands, dependents, examples}',
  RESTORE_PLAN_INVALID: 'A restore plan has a form that this version does not read',
} as const;
