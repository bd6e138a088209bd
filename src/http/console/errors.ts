// Our own API: its codes, and which status each becomes.

/** Codes that our own API raises itself. */
export const CONSOLE_ERRORS = {
  OPERATION_NOT_FOUND: 'No operation of that position is kept. details: {position}',
  INSTANT_FORM: 'A restore names neither or both of snapshot and instant, or the instant in no form or in two. No details',
  LEAVE_OUT_FORM: 'What is to be left out has none of the three forms, or a snapshot was named: something can be left out of an instant only. No details',
} as const;

/** Which status a code becomes. The codes themselves are told as they are: whoever calls it speaks our language. */
export const CONSOLE_STATUS: Readonly<Record<string, number>> = {
  PROJECT_NOT_FOUND: 404,
  CLUSTER_NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  JOB_NOT_CANCELLABLE: 409,
  DRILL_NOT_FOUND: 404,
  DRILL_WITHOUT_SNAPSHOT: 409,
  RESTORE_NOT_FOUND: 404,
  RESTORE_NOT_UNDOABLE: 409,
  RESTORE_NOTHING_KEPT: 409,
  SNAPSHOT_NOT_FOUND: 404,
  SNAPSHOT_NOT_COMPLETE: 409,
  TARGET_NOT_FOUND: 404,
  COMPLIANCE_PROTECTED: 409,
  EXPORT_NOT_FOUND: 404,
  SELECTION_INVALID: 400,
  LEAVE_OUT_FORM: 400,
  LEAVE_OUT_BEFORE_BASE: 409,
  OPERATION_NOT_FOUND: 404,
  TIMELINE_EMPTY: 409,
  RANGE_INVALID: 400,
  FILTER_ID_MALFORMED: 400,
  INSTANT_FORM: 400,
  CONTINUOUS_NO_WINDOW: 409,
  CONTINUOUS_IN_FUTURE: 409,
  CONTINUOUS_NOT_YET: 409,
  CONTINUOUS_IN_GAP: 409,
  CONTINUOUS_OUTSIDE_WINDOW: 409,
  BODY_NOT_OBJECT: 400,
  ATTRIBUTE_MISSING: 400,
  ATTRIBUTE_UNKNOWN: 400,
  ATTRIBUTE_TYPE: 400,
  ATTRIBUTE_INVALID: 400,
  ENUM_UNKNOWN: 400,
  TARGET_FORBIDDEN: 403,
  ROLE_MISSING: 403,
  ID_MALFORMED: 400,
  QUERY_INVALID: 400,
};
