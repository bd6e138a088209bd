// `leafvault snapshots` on a catalog of its own, beside an open one.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openCatalog, type Catalog } from '../../src/catalog/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { insertCompleted, makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { runCommand, type CommandRun } from '../support/run-command.ts';
import { silent } from '../support/postgres.ts';

describe('leafvault snapshots', () => {
  let home: string;
  let catalog: Catalog;
  let inventory: Inventory;
  let id: string;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'leafvault-snapshots-'));
    catalog = await openCatalog({ database: { home }, masterKey: await loadMasterKey(join(home, 'master.key')), log: silent, clock: systemClock });
    inventory = await makeInventory(catalog);
    id = (await insertCompleted(catalog, inventory)).snapshotId;
  });
  after(async () => {
    await catalog?.close();
    await rm(home, { recursive: true, force: true });
  });

  const run = (command: string, ...argv: readonly string[]): Promise<CommandRun> => runCommand(home, `snapshots ${command}`, ...argv);

  test('pins and holds one, lists both with who and why, and lets each go by itself', async () => {
    assert.deepEqual((await run('pin', id, '--reason', 'before the migration')).code, 0);
    assert.equal((await run('hold', id)).code, 2, 'a hold needs a reason');
    assert.equal((await run('hold', id, '--reason', 'case 12')).code, 0);
    const second = await run('hold', id, '--reason', 'case 13');
    assert.deepEqual([second.code, /case 12/.test(second.err)], [1, true], second.err);
    const { out } = await run('list', '--cluster', inventory.cluster.name);
    assert.match(out, new RegExp(`^${id} .* pin, hold$`, 'm'));
    assert.match(out, /pin by command line, .*: before the migration\n {2}hold by command line, .*: case 12\n/);
    assert.match((await run('unpin', id)).out, /still a hold/);
    assert.match((await run('release', id)).out, /Nothing keeps/);
    const [listed] = JSON.parse((await run('list', '--json')).out) as { readonly id: string; readonly pin: unknown; readonly hold: unknown }[];
    assert.deepEqual([listed?.id, listed?.pin, listed?.hold], [id, null, null]);
    const { items } = await catalog.auditEvents.list({ projectId: inventory.project.id, toldOnly: true }, { pageNumber: 1, itemsPerPage: 10 });
    assert.deepEqual(items.map(({ action, object }) => [action, object]).reverse(), ['snapshots pin', 'snapshots hold', 'snapshots unpin', 'snapshots release'].map((action) => [action, id]));
  });

  test('says so where there is no such snapshot or cluster', async () => {
    assert.match((await run('pin', '0'.repeat(24))).err, /there is none/);
    assert.equal((await run('unpin', 'nonsense')).code, 1);
    assert.equal((await run('list', '--cluster', 'nowhere')).code, 2);
  });
});
