// The door of the storage room.
export type { LockMode, LockTerms, ObjectInfo, ObjectLock, PurgeReport, Storage } from './storage.ts';
export { STORAGE_ERRORS, type StorageErrorCode } from './errors.ts';
export { openExportStore, type ExportPlace, type ExportStore } from './export-store.ts';
export { openStorage } from './open-storage.ts';
export { createLocalStorage } from './local/local-storage.ts';
export { withLimit } from './with-limit.ts';
export { createMemoryStorage } from './memory/memory-storage.ts';
export { withRetry, type RetryOptions } from './with-retry.ts';
