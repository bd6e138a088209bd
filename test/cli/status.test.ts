// `leafvault status` on a catalog of its own.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openCatalog, type Catalog } from '../../src/catalog/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { silent } from '../support/postgres.ts';
import { runCommand, type CommandRun } from '../support/run-command.ts';

const EVENT = { principalKind: null, principalId: null, principalName: null, action: 'a', projectId: null, orgId: null, object: null, address: '127.0.0.1', details: {} };
const MINUTE = 60_000;

describe('leafvault status', () => {
  let home: string;
  let catalog: Catalog;
  let ago = 0;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'leafvault-status-'));
    const clock = { ...systemClock, now: () => new Date(Date.now() - ago) };
    catalog = await openCatalog({ database: { home }, masterKey: await loadMasterKey(join(home, 'master.key')), log: silent, clock });
  });
  after(async () => {
    await catalog?.close();
    await rm(home, { recursive: true, force: true });
  });

  const run = (...argv: readonly string[]): Promise<CommandRun> => runCommand(home, 'status', ...argv);

  test('counts changes whose outcome nobody knows, but none that is still under way', async () => {
    await catalog.auditEvents.begin(EVENT);
    assert.doesNotMatch((await run()).out, /outcome/);
    ago = 61 * MINUTE;
    for (const status of [200, 500]) await catalog.auditEvents.settle(await catalog.auditEvents.begin(EVENT), [{ ...EVENT, details: { status } }]);
    ago = 90 * MINUTE;
    await catalog.auditEvents.begin(EVENT);
    const [{ code, out }, json] = [await run(), await run('--json')];
    assert.equal(code, 0);
    assert.match(out, /^changes: the outcome of 2 is not known, the newest of \d{4}-/m);
    assert.equal((JSON.parse(json.out) as { readonly unknownChanges: { readonly count: number } }).unknownChanges.count, 2);
  });
});
