// Codes of a mongod that is started for one drill.

export const THROWAWAY_ERRORS = {
  THROWAWAY_BINARY_UNUSABLE: 'The binary that `drills.mongod` names can not be started. details: {binary}',
  THROWAWAY_START_FAILED: 'A mongod was started for a drill and ended, or stayed silent; the message has the end of its log. details: {binary}',
  THROWAWAY_UNGUARDED: 'A mongod for a drill was not started, since the process that would end it with this one could not be started',
} as const;
