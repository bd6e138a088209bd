import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Db, Document } from 'mongodb';
import { holdCommands, HOLDABLE } from '../support/hold-commands.ts';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource, takeSnapshot, until, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const COLLECTIONS = 36;
/** Of one collection: what is live goes aside, what was loaded takes its name. */
const RENAMES = 2;
const JOBS = `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}`;

type Side = 'old' | 'new' | 'neither';
type Names = ReadonlyMap<string, string>;

describe('Leafvault killed with SIGKILL', { timeout: 900_000 }, () => {
  let source: Source;
  let folder: LeafvaultFolder;
  let shop: Db;
  let leafvault: LeafvaultProcess;
  let port: number;
  let snapshotId: string;
  let restored: string;
  let starts = 0;

  before(async () => {
    [source, folder, port] = await Promise.all([startSource(5_000, { parameters: HOLDABLE }), leafvaultFolder(), freePort()]);
    shop = source.client.db('shop');
    for (let n = 0; n < COLLECTIONS; n++) await shop.collection(`more${n}`).insertMany([{ n }, { n: -n }]);
    await start();
    snapshotId = String((await takeSnapshot(leafvault.origin)).id);
    restored = await liveContent();
  });

  after(async () => {
    await leafvault?.kill();
    await source?.[Symbol.asyncDispose]();
    await folder?.remove();
  });

  const moments: readonly (readonly [string, (now: Names, before: Names) => boolean, Side, number, number])[] = [
    ['while it loads', (now, before) => shadows(now) > shadows(before), 'old', 0, 1],
    ['after its first rename', (now, before) => moved(now, before) >= 1, 'neither', 1, COLLECTIONS / 2],
    ['after half of its renames', (now, before) => moved(now, before) >= COLLECTIONS / 2, 'neither', COLLECTIONS / 2, 2],
  ];
  // Renames are killed one by one in test/engine/restore/restore-crash.test.ts; here it is the whole process.
  const isLong = process.env['LEAFVAULT_LONG_TESTS'] === '1';
  for (const [when, isThere, sideWhenKilled, movedBefore, movedInUndo] of moments.filter((_, n) => isLong || n !== 1)) {
    test(`ends a restore with its next start, killed ${when}, and the undo, killed after ${movedInUndo} of its collections`, async () => {
      await damage(when);
      const damaged = await liveContent();
      const sideOf = (content: string): Side => (content === damaged ? 'old' : content === restored ? 'new' : 'neither');

      const before = await namesInShop();
      let release = await holdCommands(source.mongo, ['renameCollection'], { skip: movedBefore * RENAMES });
      const asked = await call(leafvault.origin, 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'automated', snapshotId, targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name });
      assert.equal(asked.status, 200);
      await killOnce((now) => isThere(now, before));
      await release();
      assert.equal(sideOf(await liveContent()), sideWhenKilled);
      await start();
      const job = await until(() => call(leafvault.origin, 'GET', `${BACKUP}/restoreJobs/${String(asked.body.id)}`), (each) => (each.finishedAt !== undefined || each.failed === true ? each : null));
      assert.equal(job.failed, false, await leafvault.log());
      assert.equal(sideOf(await liveContent()), 'new');
      const live = await namesInShop();
      // Each old one and the stranger; of the attempt that was killed nothing.
      assert.equal(shadows(live) - shadows(before), COLLECTIONS + 2);

      release = await holdCommands(source.mongo, ['renameCollection'], { skip: movedInUndo * RENAMES });
      const undo = await call(leafvault.origin, 'POST', `${JOBS}/restores/${String(asked.body.id)}/undo`);
      assert.equal(undo.status, 200, JSON.stringify(undo.body));
      await killOnce((now) => moved(now, live) >= movedInUndo);
      await release();
      assert.equal(sideOf(await liveContent()), 'neither');
      await start();
      await until(() => call(leafvault.origin, 'GET', `${JOBS}/jobs/${String(undo.body.id)}`), ({ state }) => (state === 'completed' ? true : null));
      assert.equal(sideOf(await liveContent()), 'old');
      assert.equal(shadows(await namesInShop()) - shadows(before), COLLECTIONS + 1, 'what was restored is kept');
    });
  }

  async function start(): Promise<void> {
    leafvault = await startLeafvault({ folder, port, settings: settingsFor(source.uri), name: `start${starts++}` });
  }

  async function killOnce(isThere: (now: Names) => boolean): Promise<void> {
    for (const deadline = performance.now() + PATIENCE_MS; !isThere(await namesInShop());) assert.ok(performance.now() < deadline, 'the moment to kill never came');
    await leafvault.kill();
  }

  /** Something in each collection, and one that the snapshot lacks. */
  async function damage(mark: string): Promise<void> {
    for (const name of ['orders', ...Array.from({ length: COLLECTIONS }, (_, n) => `more${n}`)]) await shop.collection(name).insertOne({ mark });
    await shop.collection('strangers').insertOne({ mark });
  }

  /** Name to UUID. */
  async function namesInShop(): Promise<Names> {
    const listed = await shop.listCollections({}, { nameOnly: false }).toArray();
    return new Map(listed.map(({ name, info }) => [name, (info?.uuid as { toHexString(): string } | undefined)?.toHexString() ?? '']));
  }

  /** Without what is kept for an undo. */
  async function liveContent(): Promise<string> {
    const { collections } = (await shop.command({ dbHash: 1 })) as { readonly collections: Document };
    return JSON.stringify(Object.entries(collections).filter(([name]) => !isOurs(name)).toSorted());
  }
});

const isOurs = (name: string): boolean => name.startsWith('__lv_');

const shadows = (names: Names): number => [...names.keys()].filter(isOurs).length;

/** How many live names no longer are the collections that they were. */
function moved(now: Names, before: Names): number {
  return [...before].filter(([name, uuid]) => !isOurs(name) && now.get(name) !== uuid).length;
}
