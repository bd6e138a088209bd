// Servers that were built anew while a restore was half swapped on the old ones: given up through our own API, so that the cluster can be deleted.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { holdCommands, HOLDABLE } from '../support/hold-commands.ts';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource, takeSnapshot, until } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const COLLECTIONS = 4;
const OWN = `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}`;

describe('a restore whose servers were built anew', { timeout: 900_000 }, () => {
  test('is abandoned by who says so, once they are others, and its cluster is deleted', async () => {
    await using source = await startSource(200, { parameters: HOLDABLE });
    await using anew = await startSource(10);
    await using folder = await leafvaultFolder();
    const port = await freePort();
    const start = (uri: string, name: string): ReturnType<typeof startLeafvault> => startLeafvault({ folder, port, settings: settingsFor(uri), name });
    const shop = source.client.db('shop');
    for (let n = 0; n < COLLECTIONS; n += 1) await shop.collection(`more${n}`).insertOne({ n });
    let leafvault = await start(source.uri, 'first');
    const { id: snapshotId } = await takeSnapshot(leafvault.origin);
    await holdCommands(source.mongo, ['renameCollection'], { skip: 3 });
    const asked = await call(leafvault.origin, 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'automated', snapshotId, targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name });
    assert.equal(asked.status, 200);
    const restore = `${OWN}/restores/${String(asked.body['id'])}`;
    const isSwapping = async (): Promise<boolean> => (await shop.listCollections({}, { nameOnly: true }).toArray()).some(({ name }) => name.startsWith('__lv_') && name.includes('.old'));
    for (const deadline = performance.now() + PATIENCE_MS; !(await isSwapping());) assert.ok(performance.now() < deadline, 'it never began to swap');
    await leafvault.kill();
    await source.mongo.stop();

    leafvault = await start(anew.uri, 'second');
    const jobOf = async (): Promise<Record<string, unknown>> => until(() => call(leafvault.origin, 'GET', restore), ({ job }) => (['failed', 'completed'].includes((job as { readonly state: string }).state) ? (job as Record<string, unknown>) : null));
    assert.equal((await jobOf())['errorCode'], 'RESTORE_TARGET_EXCHANGED');
    const cluster = `/api/atlas/v2/groups/${PROJECT.id}/clusters/${CLUSTER.name}`;
    const busy = await call(leafvault.origin, 'DELETE', cluster);
    assert.deepEqual([busy.status, busy.body['errorCode']], [409, 'CANNOT_TERMINATE_CLUSTER_WHILE_RESTORING']);
    assert.equal((await call(leafvault.origin, 'POST', `${restore}/abandon`, {})).status, 400, 'nobody said it');
    const gone = await call(leafvault.origin, 'POST', `${restore}/abandon`, { serversAreGone: true });
    assert.equal(gone.status, 200, JSON.stringify(gone.body));
    assert.match(String((await jobOf())['message']), /given up by apiKey abcdefgh/);
    const deleted = await call(leafvault.origin, 'DELETE', cluster);
    assert.equal(deleted.status, 202, JSON.stringify(deleted));
    assert.equal(await leafvault.stop(), 0);
  });
});
