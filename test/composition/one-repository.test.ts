import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { openOneRepository, type OneRepositoryOptions } from '../../src/composition/one-repository.ts';
import { storeKey } from '../../src/domain/store-state.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import { settingsInMemory } from '../support/settings-in-memory.ts';

let folder: string;
let options: OneRepositoryOptions;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leafvault-one-'));
  options = {
    catalog: settingsInMemory(), address: `file:${join(folder, 'repository')}`, masterKey: Buffer.alloc(32, 1), tempDir: join(folder, 'tmp'),
    clock: systemClock, log: createLogger('silent'), owner: 'test',
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('openOneRepository', () => {
  test('makes the repository once and opens the same one again', async () => {
    const first = await openOneRepository(options);
    await first.close();
    const second = await openOneRepository(options);
    await second.close();
    assert.equal(second.repository.id, first.repository.id);
  });

  test('asks at the start what the store can, for whoever asks how it is', async () => {
    const { repository, close } = await openOneRepository(options);
    await close();
    assert.deepEqual(await options.catalog.settings.get(storeKey(repository.id)), { conditionalPut: true });
  });

  test('tells when its store is gone', async () => {
    const opened = await openOneRepository(options);
    assert.equal(await opened.isThere(), true);
    await rm(join(folder, 'repository'), { recursive: true });
    assert.equal(await opened.isThere(), false);
    await opened.close().catch(() => undefined);
  });

  test('makes no second one where the first is missing', async () => {
    await (await openOneRepository(options)).close();
    await rm(join(folder, 'repository'), { recursive: true });
    await assert.rejects(openOneRepository(options), { code: 'REPOSITORY_GONE' });
    assert.deepEqual((await readdir(folder)).filter((name) => name === 'repository'), []);
  });

  test('refuses the repository of another catalog', async () => {
    await (await openOneRepository(options)).close();
    const elsewhere = { ...options, address: `file:${join(folder, 'other')}` };
    await (await openOneRepository({ ...elsewhere, catalog: settingsInMemory() })).close();
    await assert.rejects(openOneRepository(elsewhere), { code: 'REPOSITORY_OTHER' });
  });
});
