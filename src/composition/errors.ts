// Codes of putting the house together.

export const COMPOSITION_ERRORS = {
  EXPORT_TARGET_GONE: 'A bucket of exports lay at a target that the settings do not name any more. details: {name}',
  EXPORT_TARGET_FORBIDDEN: 'A target of exports is kept for other projects. details: {name}',
  HOME_UNUSABLE: 'The home folder cannot be made or written to',
  MASTER_KEY_UNREADABLE: 'The file of the master key cannot be read or made',
  MASTER_KEY_DAMAGED: 'The file of the master key does not hold a whole master key',
  MASTER_KEY_EXPOSED: 'Others of this machine may read the file of the master key',
  MASTER_KEY_OTHER: 'The master key does not open the catalog',
  MASTER_KEY_COPY_BEHIND: 'A second copy does not open with the master key in hand, so no other one is retired. details: {copies}',
  MASTER_KEY_ROTATED: 'Another rotation changed the master key meanwhile',
  RECOVERY_KIT_UNREADABLE: 'The file does not hold a whole recovery kit',
  REPOSITORY_GONE: 'The catalog knows a repository at this address, and there is none',
  REPOSITORY_OTHER: 'The catalog was made with another repository',
  RESCUE_UNFINISHED: 'A rescue of this catalog was begun and not ended',
  RESCUE_KEY_OTHER: 'A rescue would have to write over the file of another master key',
  RESCUE_NOTHING_THERE: 'The repository holds nothing that a catalog could be rescued from',
  LISTEN_FAILED: 'The address to listen on is taken or not of this machine',
} as const;
