// From an address to its kind of store.
import { LeafvaultError } from '../foundation/errors.ts';
import { redactUri } from '../foundation/redact.ts';
import { createLocalStorage } from './local/local-storage.ts';
import { createMemoryStorage } from './memory/memory-storage.ts';
import { openS3 } from './s3/open-s3.ts';
import type { Storage } from './storage.ts';

// A memory store lives as long as the process: its name means the same store to everybody in it.
const memoryStores = new Map<string, Storage>();

/**
 * Opens the store at `file:<path>`, `s3://…` or `memory:<name>`. Nothing is read or made yet.
 * @throws STORAGE_ADDRESS_INVALID
 */
export function openStorage(address: string): Storage {
  const [, kind, rest] = /^([a-z0-9]+):(.+)$/s.exec(address) ?? [];
  if (kind === 'file' && rest !== undefined) return createLocalStorage(rest.replace(/^\/\/(?=\/)/, ''));
  if (kind === 'memory' && rest !== undefined) return memoryStore(rest);
  if (kind === 's3') return openS3(address);
  throw new LeafvaultError('STORAGE_ADDRESS_INVALID', `Opening the store ${JSON.stringify(redactUri(address))} failed: the address has no known kind`, {
    hint: 'Write file:<path>, e.g. file:./leafvault-data/repository, or s3://bucket/prefix?endpoint=…&region=…',
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
