// From an address to its kind of store.
import { LeafvaultError } from '../foundation/errors.ts';
import { redactUri } from '../foundation/redact.ts';
import { createLocalStorage } from './local/local-storage.ts';
import { createMemoryStorage } from './memory/memory-storage.ts';
import type { Storage } from './storage.ts';

// A memory store lives as long as the process: its name means the same store to everybody in it.
const memoryStores = new Map<string, Storage>();

/**
 * Opens the store at `file:<path>` or `memory:<name>`. Nothing is read or made yet.
 * @throws STORAGE_KIND_UNSUPPORTED for `s3://`, STORAGE_ADDRESS_INVALID for anything else
 */
export function openStorage(address: string): Storage {
  const [, kind, rest] = /^([a-z0-9]+):(.+)$/s.exec(address) ?? [];
  if (kind === 'file' && rest !== undefined) return createLocalStorage(rest.replace(/^\/\/(?=\/)/, ''));
  if (kind === 'memory' && rest !== undefined) return memoryStore(rest);
  if (kind === 's3') {
    throw new LeafvaultError('STORAGE_KIND_UNSUPPORTED', `Opening the store ${redactUri(address)} failed: S3 stores come in a later version`, {
      hint: 'Use a local folder for now, e.g. file:./leafvault-data/repository; a mounted network folder with hard links works too',
    });
  }
  throw new LeafvaultError('STORAGE_ADDRESS_INVALID', `Opening the store ${JSON.stringify(redactUri(address))} failed: the address has no known kind`, {
    hint: 'Write file:<path>, e.g. file:./leafvault-data/repository',
  });
}

function memoryStore(name: string): Storage {
  let store = memoryStores.get(name);
  if (store === undefined) {
    store = createMemoryStorage(name);
    memoryStores.set(name, store);
  }
  return store;
}
