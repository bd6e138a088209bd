// `leafvault clusters` on a catalog of its own, beside an open one.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openCatalog, type Catalog } from '../../src/catalog/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { insertCompleted, makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { silent } from '../support/postgres.ts';
import { runCommand, type CommandRun } from '../support/run-command.ts';

describe('leafvault clusters', () => {
  let home: string;
  let catalog: Catalog;
  let inventory: Inventory;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'leafvault-clusters-'));
    catalog = await openCatalog({ database: { home }, masterKey: await loadMasterKey(join(home, 'master.key')), log: silent, clock: systemClock });
  });
  after(async () => {
    await catalog?.close();
    await rm(home, { recursive: true, force: true });
  });

  const run = (...argv: readonly string[]): Promise<CommandRun> => runCommand(home, 'clusters', ...argv);
  const line = async (): Promise<string> => (await run()).out.split('\n')[1]?.replace(/ +/g, ' ') ?? '';

  test('says so where there is none', async () => {
    const { code, out } = await run();
    assert.deepEqual([code, out], [0, 'There is no cluster yet.\n']);
  });

  test('shows of each whether it is backed up, what of it, and up to when', async () => {
    inventory = await makeInventory(catalog);
    const { id, name } = inventory.cluster;
    const begin = `${id} ${name} ${inventory.project.name}`;
    assert.equal(await line(), `${begin} inactive everything off 0`);
    await insertCompleted(catalog, inventory);
    await catalog.clusters.setContinuousBackup(id, true);
    assert.match(await line(), new RegExp(`^${begin} started everything starting 1 \\d{4}-\\d\\d-\\d\\dT\\S+Z$`));
    await catalog.clusters.setBackupState(id, 'stopped');
    assert.match(await line(), new RegExp(`^${begin} stopped everything off 1 `));
  });

  test('shows what a filter takes or leaves out', async () => {
    const { id } = inventory.cluster;
    await catalog.clusters.setNamespaceFilter(id, { kind: 'included', databases: ['shop'], collections: ['crm.people'] });
    const { out } = await run('--cluster', inventory.cluster.name);
    assert.match(out, / stopped +only 2 names +off /);
    assert.match(out, /^ {2}only shop, crm\.people$/m);
    await catalog.clusters.setNamespaceFilter(id, { kind: 'excluded', databases: Array.from({ length: 30 }, (_, n) => `d${n}`), collections: [] });
    const excluded = (await run()).out;
    assert.match(excluded, / stopped +all but 30 names +off /);
    assert.match(excluded, /^ {2}not d0, d1, .*, d19 and 10 more$/m);
    const [told] = JSON.parse((await run('--json')).out) as { readonly id: string; readonly backups: { readonly state: string; readonly filter: { readonly kind: string; readonly databases: string[] } }; readonly continuous: unknown; readonly snapshots: number }[];
    assert.deepEqual([told?.id, told?.backups.state, told?.backups.filter.kind, told?.backups.filter.databases.length, told?.continuous, told?.snapshots], [id, 'stopped', 'excluded', 30, { isOn: true, state: 'off' }, 1]);
  });

  test('refuses a name that no cluster has', async () => assert.equal((await run('--cluster', 'nowhere')).code, 2));
});
