// Codes of reading a snapshot's documents.

export const SNAPSHOT_ERRORS = {
  SNAPSHOT_ENTRY_INVALID: 'An entry of a snapshot has a form that this version does not read',
  SNAPSHOT_CONTENT_MISMATCH: 'What a snapshot holds differs from what its capture counted and hashed',
} as const;
