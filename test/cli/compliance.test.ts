// `leafvault compliance release` on a catalog of its own, beside an open one.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openCatalog, type Catalog } from '../../src/catalog/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { silent } from '../support/postgres.ts';
import { runCommand, type CommandRun } from '../support/run-command.ts';

describe('leafvault compliance release', () => {
  let home: string;
  let catalog: Catalog;
  let inventory: Inventory;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'leafvault-release-'));
    catalog = await openCatalog({ database: { home }, masterKey: await loadMasterKey(join(home, 'master.key')), log: silent, clock: systemClock });
    inventory = await makeInventory(catalog);
    const { id: projectId } = inventory.project;
    await catalog.compliance.save({ projectId, authorizedEmail: 'legal@example.com', authorizedUserFirstName: null, authorizedUserLastName: null, copyProtectionEnabled: false, encryptionAtRestEnabled: false, pitEnabled: false, restoreWindowDays: 0, onDemandItem: null, scheduledItems: [] }, 'test');
  });
  after(async () => {
    await catalog?.close();
    await rm(home, { recursive: true, force: true });
  });

  const run = (...argv: readonly string[]): Promise<CommandRun> => runCommand(home, 'compliance release', ...argv);

  test('asks for who answers for the policy, and for a project that has one', async () => {
    for (const argv of [[inventory.project.id, '--email', 'me@example.com'], ['0'.repeat(24), '--email', 'legal@example.com'], ['shop', '--email', 'legal@example.com']]) {
      const { code, err } = await run(...argv);
      assert.equal(code, 1);
      assert.match(err, /was refused/);
    }
    assert.equal((await run(inventory.project.id)).code, 2);
    assert.equal((await catalog.compliance.get(inventory.project.id))?.deletable, false);
  });

  test('lets it be removed, which the audit tells, and a change of the policy takes it back', async () => {
    const { code, out } = await run(inventory.project.id, '--email', 'legal@example.com');
    assert.deepEqual([code, /is released/.test(out)], [0, true]);
    const record = await catalog.compliance.get(inventory.project.id);
    assert.equal(record?.deletable, true);
    const { items } = await catalog.auditEvents.list({ projectId: inventory.project.id, toldOnly: true }, { pageNumber: 1, itemsPerPage: 10 });
    assert.deepEqual(items.map(({ action, principalName }) => [action, principalName]), [['compliance release', 'command line']]);
    assert.equal((await catalog.compliance.save(record.policy, 'test')).deletable, false);
  });
});
