import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Restore } from '../../src/domain/records.ts';
import { insertCompleted } from '../support/catalog-rows.ts';
import { BASE_URL, completeJob, startServicesWorld, ownerOf, type ServicesWorld } from '../support/services-world.ts';

const HOUR_MS = 3_600_000;
let world: ServicesWorld;
let snapshotId: string;

before(async () => { world = await startServicesWorld(); });
after(() => world?.close());

beforeEach(async () => { ({ snapshotId } = await insertCompleted(world.catalog, world.inventory)); });

function create(download = { expirationHours: 4, maxDownloads: null as number | null, readyAtOnce: true }): Promise<Restore> {
  const { services, inventory } = world;
  return services.restores.create({ cluster: inventory.cluster, snapshotId, delivery: 'download', principal: ownerOf(inventory), download });
}

function read(id: string): Promise<Restore> {
  return world.services.restores.get(world.inventory.cluster.id, id);
}

/** What the address holds. */
function partsOf(url: string | null | undefined): { restoreId: string; secret: string } {
  const [restoreId = '', secret = ''] = String(url).split('/pull/')[1]?.split('/') ?? [];
  return { restoreId, secret };
}

describe('a download', () => {
  test('that is to be ready at once has its address at once', async () => {
    const { id, download } = await create();
    assert.deepEqual([download?.state, download?.expirationHours, download?.downloads, download?.sha1], ['ready', 4, 0, null]);
    assert.equal(download?.fileName, `rs0-1700000000-${id}.tar.gz`);
    assert.match(String(download?.url), new RegExp(`^${BASE_URL}/backup/restore/v2/pull/${id}/[A-Za-z0-9_-]{43}/rs0-1700000000-${id}\\.tar\\.gz$`));
    assert.equal(download?.expiresAt?.getTime(), world.clock.now().getTime() + 4 * HOUR_MS);
  });

  test('that is prepared first has no address until its job is done', async () => {
    const { id, jobId, download } = await create({ expirationHours: 1, maxDownloads: 1, readyAtOnce: false });
    assert.deepEqual([download?.state, download?.url, download?.expiresAt], ['preparing', null, null]);
    assert.equal((await world.services.jobs.get(jobId)).kind, 'prepareDownload');
    await world.catalog.restores.setDownloadReady(id);
    assert.equal((await read(id)).download?.state, 'ready');
  });

  test('is opened by its address, with what was chosen', async () => {
    const { download } = await create();
    const archive = await world.services.downloads.resolve(partsOf(download?.url));
    assert.equal(archive.fileName, download?.fileName);
    const opened = world.opened.length;
    assert.equal(await text(archive.open(new AbortController().signal)), 'archive');
    assert.deepEqual(world.opened.slice(opened).map((request) => [request.snapshotId, request.selection]), [[snapshotId, { databases: [], collections: [], renames: [] }]]);
  });

  test('is counted when a transfer is complete, not when it begins', async () => {
    const { id, download } = await create({ expirationHours: 1, maxDownloads: 2, readyAtOnce: true });
    const first = await world.services.downloads.resolve(partsOf(download?.url));
    first.open(new AbortController().signal);
    assert.equal((await read(id)).download?.downloads, 0);
    await first.completed('a'.repeat(40));
    const after = (await read(id)).download;
    assert.deepEqual([after?.downloads, after?.sha1, after?.state], [1, 'a'.repeat(40), 'ready']);
  });

  test('is exhausted after so many transfers as were allowed', async () => {
    const { id, download } = await create({ expirationHours: 1, maxDownloads: 1, readyAtOnce: true });
    await (await world.services.downloads.resolve(partsOf(download?.url))).completed('b'.repeat(40));
    await assert.rejects(world.services.downloads.resolve(partsOf(download?.url)), { code: 'DOWNLOAD_EXHAUSTED' });
    const after = (await read(id)).download;
    assert.deepEqual([after?.state, after?.url], ['exhausted', null]);
  });

  test('expires, and a transfer that began before goes on', async () => {
    const { id, download } = await create({ expirationHours: 1, maxDownloads: null, readyAtOnce: true });
    world.clock.advance(HOUR_MS - 1);
    const archive = await world.services.downloads.resolve(partsOf(download?.url));
    world.clock.advance(1);
    await assert.rejects(world.services.downloads.resolve(partsOf(download?.url)), { code: 'DOWNLOAD_EXPIRED' });
    const after = (await read(id)).download;
    assert.deepEqual([after?.state, after?.url], ['expired', null]);
    await archive.completed('c'.repeat(40));
    assert.equal((await read(id)).download?.downloads, 1);
  });

  test('is not found when any part of its address was altered', async () => {
    const one = partsOf((await create()).download?.url);
    const other = partsOf((await create()).download?.url);
    const flipped = (one.secret.startsWith('A') ? 'B' : 'A') + one.secret.slice(1);
    for (const wrong of [
      { ...one, secret: flipped }, { ...one, secret: other.secret }, { ...one, restoreId: other.restoreId }, { ...one, secret: '' },
      { ...one, secret: one.secret.slice(0, -1) }, { ...one, secret: `${one.secret}A` }, { restoreId: '\0', secret: one.secret }, { ...one, secret: 'é'.repeat(43) },
    ]) await assert.rejects(world.services.downloads.resolve(wrong), { code: 'DOWNLOAD_NOT_FOUND' }, JSON.stringify(wrong));
    assert.ok(await world.services.downloads.resolve(one));
  });

  test('is gone with its snapshot', async () => {
    const { services, inventory } = world;
    const { download } = await create();
    await services.snapshots.delete({ cluster: inventory.cluster, id: snapshotId, principal: ownerOf(inventory) });
    await assert.rejects(services.downloads.resolve(partsOf(download?.url)), { code: 'SNAPSHOT_NOT_FOUND' });
  });

  test('that was cancelled before it was prepared has no address any more', async () => {
    const { services, inventory } = world;
    const { id, download } = await create();
    await services.restores.cancel({ cluster: inventory.cluster, id, principal: ownerOf(inventory) });
    await assert.rejects(services.downloads.resolve(partsOf(download?.url)), { code: 'DOWNLOAD_NOT_FOUND' });
    const after = await read(id);
    assert.deepEqual([after.state, after.download?.state, after.download?.url], ['cancelled', 'cancelled', null]);
  });

  test('that is prepared ends at once when it is cancelled', async () => {
    const { services, inventory, catalog } = world;
    const { id, jobId, download } = await create();
    await completeJob(catalog, jobId);
    await services.restores.cancel({ cluster: inventory.cluster, id, principal: ownerOf(inventory) });
    await assert.rejects(services.downloads.resolve(partsOf(download?.url)), { code: 'DOWNLOAD_EXPIRED' });
    await assert.rejects(services.restores.cancel({ cluster: inventory.cluster, id, principal: ownerOf(inventory) }), { code: 'RESTORE_NOT_CANCELLABLE' });
  });
});
