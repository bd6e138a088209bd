// The repository room's error codes.

export const REPOSITORY_ERRORS = {
  REPOSITORY_MISSING: 'The store holds no repository',
  REPOSITORY_EXISTS: 'The store holds a repository already',
  REPOSITORY_KEY_WRONG: 'The master key does not open this repository',
  REPOSITORY_PASSPHRASE_WEAK: 'The passphrase can be guessed',
  REPOSITORY_SLOT_MISSING: 'There is no such key slot',
  REPOSITORY_SLOT_NEEDED: 'No other key slot opens with the key in hand',
  REPOSITORY_FORMAT_NEWER: 'The object was written by a newer version of Leafvault',
  REPOSITORY_OBJECT_DAMAGED: 'An object of the repository is damaged or was altered',
  REPOSITORY_OBJECT_MISSING: 'An object that the repository needs is gone',
  REPOSITORY_CHUNK_DAMAGED: 'A chunk is damaged or was altered',
  REPOSITORY_CHUNK_MISSING: 'A chunk is not in the repository',
  REPOSITORY_CHUNK_UNSUPPORTED: 'A chunk has a form that this version cannot read',
  REPOSITORY_CHUNK_INVALID: 'The bytes handed in cannot be a chunk',
  REPOSITORY_ENTRY_INVALID: 'The entry cannot be stored',
  REPOSITORY_SNAPSHOT_MISSING: 'There is no such snapshot',
  REPOSITORY_SNAPSHOT_EXISTS: 'A snapshot of that id exists already',
  REPOSITORY_SESSION_FENCED: 'The session was ended by a prune while it was at work',
  REPOSITORY_PRUNE_REFUSED: 'Pruning could take something that is needed, or another prune is at work',
  REPOSITORY_WRITER_CLOSED: 'The writer was committed or aborted before',
  REPOSITORY_READER_CLOSED: 'The reader was closed before',
  REPOSITORY_CLOSED: 'The repository was closed before',
  REPOSITORY_WORKER_FAILED: 'A worker thread of the repository died',
  REPOSITORY_FACT_INVALID: 'The fact cannot be stored',
  REPOSITORY_CHAIN_MISSING: 'There is no such chain',
  REPOSITORY_CHAIN_TAKEN: 'Another writer added to the chain',
  REPOSITORY_CHAIN_ENDED: 'The chain has ended; nothing can be added to it',
  REPOSITORY_CHAIN_BROKEN: 'An object of a chain is missing, damaged, or does not follow the one before it',
  REPOSITORY_CHAIN_INVALID: 'The chain, slice or end cannot be stored',
} as const;

export type RepositoryErrorCode = keyof typeof REPOSITORY_ERRORS;
