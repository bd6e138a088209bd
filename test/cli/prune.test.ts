// `leafvault prune` beside the catalog of a home, and without one: what it asks before it takes anything.
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openCatalog, type Catalog } from '../../src/catalog/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { insertCompleted, makeInventory } from '../support/catalog-rows.ts';
import { silent } from '../support/postgres.ts';
import { openTestRepository, randomChunks, writeSnapshot } from '../support/repository-fixture.ts';
import { runCommand } from '../support/run-command.ts';

describe('leafvault prune', () => {
  let home: string;
  let catalog: Catalog;
  let lost: string;
  let repositoryId: string;
  const prune = (...flags: string[]) => runCommand(home, 'prune', ...flags);
  const packs = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of createLocalStorage(join(home, 'repository')).list('packs/')) names.push(name);
    return names.sort();
  };

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'leafvault-prune-'));
    const key = await loadMasterKey(join(home, 'master.key'));
    catalog = await openCatalog({ database: { home }, masterKey: key, log: silent, clock: systemClock });
    const storage = createLocalStorage(join(home, 'repository'));
    const repository = await openTestRepository(storage, { masterKey: key.bytes });
    repositoryId = repository.id;
    await catalog.settings.set('repositoryId', repositoryId);
    const inventory = await makeInventory(catalog);
    for (const size of [3_000, 4_000]) {
      const { id } = await writeSnapshot(repository, { a: randomChunks(5, size) });
      await insertCompleted(catalog, inventory, { snapshotId: id });
      lost ??= id;
    }
    await repository.close();
    await storage.delete(`snapshots/${lost}`);
  });
  after(async () => {
    await catalog?.close();
    await rm(home, { recursive: true, force: true });
  });

  test('takes nothing while the store has no root of a snapshot that the catalog keeps, in earnest or dry', async () => {
    const there = await packs();
    for (const flags of [[], ['--dry-run']]) {
      const { code, err } = await prune(...flags);
      assert.equal(code, 7);
      assert.match(err, new RegExp(`the root of the snapshot ${lost} that the catalog knows`));
      assert.match(err, /HINT: .*docs\/guides\/object-lock\.md/);
    }
    assert.deepEqual(await packs(), there);
  });

  test('says why no catalog was asked: another one\'s store, a home that holds none, and when it was told not to', async () => {
    assert.match((await prune('--dry-run', '--without-catalog')).out, /would free [1-9][^]*the catalog was not asked whether snapshots lost their roots: --without-catalog says so\n/);
    const alone = join(home, 'alone');
    await mkdir(alone);
    await copyFile(join(home, 'master.key'), join(alone, 'master.key'));
    const elsewhere = await runCommand(alone, 'prune', '--dry-run', '--json', '--repository-store', `file:${join(home, 'repository')}`);
    assert.match(String((JSON.parse(elsewhere.out) as Record<string, unknown>)['catalogNotAsked']), /holds none$/);
    const fresh = join(home, 'fresh');
    await mkdir(fresh);
    await copyFile(join(home, 'master.key'), join(fresh, 'master.key'));
    const empty = await openCatalog({ database: { home: fresh }, masterKey: await loadMasterKey(join(fresh, 'master.key')), log: silent, clock: systemClock });
    assert.match((await runCommand(fresh, 'prune', '--dry-run', '--repository-store', `file:${join(home, 'repository')}`)).out, /not asked .*: it knows no repository, and may be another one than that of the service\n/);
    await empty.close();
    await catalog.settings.set('repositoryId', 'f'.repeat(24));
    assert.match((await prune('--dry-run')).out, /not asked .*: it is of another repository\n/);
  });

  test('takes what nobody needs once the lost one is deleted in the catalog, too', async () => {
    const there = await packs();
    await catalog.settings.set('repositoryId', repositoryId);
    await catalog.snapshots.markDeleted(lost);
    const { code, out, err } = await prune('--json');
    assert.equal(code, 0, err);
    assert.equal((JSON.parse(out) as Record<string, unknown>)['catalogNotAsked'], null);
    assert.ok((await packs()).length < there.length);
  });
});
