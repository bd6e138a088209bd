// Codes of putting the house together.

export const COMPOSITION_ERRORS = {
  HOME_UNUSABLE: 'The home folder cannot be made or written to',
  MASTER_KEY_UNREADABLE: 'The file of the master key cannot be read or made',
  MASTER_KEY_DAMAGED: 'The file of the master key does not hold a whole master key',
  MASTER_KEY_EXPOSED: 'Others of this machine may read the file of the master key',
  MASTER_KEY_OTHER: 'The master key does not open the catalog',
  MASTER_KEY_ROTATED: 'Another rotation changed the master key meanwhile',
  RECOVERY_KIT_UNREADABLE: 'The file does not hold a whole recovery kit',
  REPOSITORY_GONE: 'The catalog knows a repository at this address, and there is none',
  REPOSITORY_OTHER: 'The catalog was made with another repository',
  LISTEN_FAILED: 'The address to listen on is taken or not of this machine',
} as const;
