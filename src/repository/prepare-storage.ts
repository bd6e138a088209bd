// A store as the repository uses it: it tries again, holds nothing that comes and goes, and takes sessions of readers of the past into memory.
import { createMemoryStorage, withRetry, type RetryOptions, type Storage } from '../storage/index.ts';
import { BAD, COPY_FILE, GENERATIONS, MISSED, QUARANTINE, SESSIONS } from './format/names.ts';

/** Nothing that was stored is lost with them (docs/design/object-lock.md, "What is held"). */
const PASSING = [SESSIONS, GENERATIONS, BAD, QUARANTINE, MISSED];

export function isPassing(name: string): boolean {
  return name === COPY_FILE || PASSING.some((prefix) => name.startsWith(prefix));
}

export function prepareStorage(plain: Storage, retry?: RetryOptions): Storage {
  const storage = withRetry(plain, retry);
  if (storage.isPast === true) return withSessionsInMemory(storage);
  if (storage.objectLock === undefined) return storage;
  return {
    ...storage,
    put: (name, bytes, options) => storage.put(name, bytes, isPassing(name) ? { ...options, passing: true } : options),
    delete: (name) => storage.delete(name, isPassing(name) ? { passing: true } : {}),
  };
}

/** Nobody takes anything away from the past, so no session has to be seen there; those that were open then say nothing any more. */
function withSessionsInMemory(past: Storage): Storage {
  const sessions = createMemoryStorage('sessions');
  const of = (name: string): Storage => (name.startsWith(SESSIONS) ? sessions : past);
  return {
    ...past,
    put: (name, bytes, options) => of(name).put(name, bytes, options),
    get: (name, range, options) => of(name).get(name, range, options),
    stat: (name) => of(name).stat(name),
    list: (prefix) => of(prefix).list(prefix),
    delete: (name) => of(name).delete(name),
  };
}
