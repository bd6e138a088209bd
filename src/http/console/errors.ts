// Which status a code becomes at our own API. The codes themselves are told as they are: whoever calls it speaks our language.

export const CONSOLE_STATUS: Readonly<Record<string, number>> = {
  PROJECT_NOT_FOUND: 404,
  CLUSTER_NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  RESTORE_NOT_FOUND: 404,
  RESTORE_NOT_UNDOABLE: 409,
  TARGET_FORBIDDEN: 403,
  ROLE_MISSING: 403,
  ID_MALFORMED: 400,
  QUERY_INVALID: 400,
};
