// Runs the storage contract on every kind of store.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStorage, createMemoryStorage } from '../../src/storage/index.ts';
import { storageContract } from '../contracts/storage.contract.ts';

storageContract('memory', async () => {
  const storage = createMemoryStorage();
  return { storage, other: storage, dispose: async () => undefined };
});

storageContract('local folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-storage-'));
  const root = join(folder, 'made', 'by', 'put');
  return {
    storage: createLocalStorage(root),
    other: createLocalStorage(root),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
});
