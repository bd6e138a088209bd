// The storage room's error codes.

export const STORAGE_ERRORS = {
  STORAGE_OBJECT_EXISTS: 'An object of that name is already stored; objects are written once',
  STORAGE_OBJECT_MISSING: 'No object of that name is stored',
  STORAGE_RANGE_INVALID: 'The range reaches past the end of the object',
  STORAGE_NAME_INVALID: 'The object name breaks the naming rules',
  STORAGE_FULL: 'The store has no room left',
  STORAGE_DENIED: 'The store refuses access to this process',
  STORAGE_LOCKED: 'The store holds the object until its lock ends',
  STORAGE_LOCK_UNAVAILABLE: 'The bucket has no object lock, and the settings ask for one',
  STORAGE_READ_ONLY: 'The store is seen as it was at an instant; nothing can be put or taken away',
  STORAGE_FAILED: 'The store failed; the error says whether trying again can help',
  STORAGE_ADDRESS_INVALID: 'The store address cannot be read',
} as const;

export type StorageErrorCode = keyof typeof STORAGE_ERRORS;
