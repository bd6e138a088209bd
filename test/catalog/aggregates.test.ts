// Every aggregate of the catalog on both kinds of server.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { newId } from '../../src/foundation/ids.ts';
import { insertCompleted, jobRow, makeInventory, OUTCOME, snapshotRow, type Inventory } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { DATABASES, emptyCatalog, type TestDatabase } from '../support/postgres.ts';

const PAGE = { pageNumber: 1, itemsPerPage: 100 };
const code = (wanted: string) => (error: unknown) => isLeafvaultError(error, wanted);

for (const { name, start } of DATABASES) {
  describe(`the catalog on ${name}`, () => {
    let server: TestDatabase;
    let catalog: Catalog;
    let clock: FakeClock;
    let inventory: Inventory;

    before(async () => {
      server = await start();
      clock = fakeClock();
      catalog = await server.open({ clock });
    });
    after(async () => {
      await catalog.close();
      await server.stop();
    });
    beforeEach(async () => { inventory = await makeInventory(catalog); });
    afterEach(() => emptyCatalog(catalog));

    test('lists organizations and projects by what a principal may see', async () => {
      const { orgId, project } = inventory;
      const other = await catalog.organizations.insert({ id: newId(), name: 'other' });
      const second = await catalog.projects.insert({ id: newId(), orgId: other.id, name: 'second' });
      assert.equal((await catalog.organizations.list({ ids: null }, PAGE)).totalCount, 2);
      assert.deepEqual((await catalog.organizations.list({ ids: [orgId] }, PAGE)).items.map(({ id }) => id), [orgId]);
      assert.deepEqual((await catalog.organizations.list({ ids: [] }, PAGE)).items, []);
      assert.equal((await catalog.projects.list({ orgIds: null, ids: null }, PAGE)).totalCount, 2);
      const some = await catalog.projects.list({ orgIds: [orgId], ids: [second.id] }, PAGE);
      assert.deepEqual(some.items.map(({ id }) => id).sort(), [project.id, second.id].sort());
      assert.deepEqual(await catalog.projects.byName(other.id, 'second'), second);
    });

    test('refuses a second row of one name and a row without its parent', async () => {
      const { project, cluster } = inventory;
      await assert.rejects(catalog.clusters.insert({ id: newId(), projectId: project.id, name: cluster.name, uri: 'mongodb://h', hosts: [] }), code('CATALOG_DUPLICATE'));
      await assert.rejects(catalog.projects.insert({ id: newId(), orgId: newId(), name: 'x' }), code('CATALOG_REFERENCE_MISSING'));
    });

    test('seals the connection string of a cluster', async () => {
      const { cluster } = inventory;
      assert.equal(await catalog.clusters.uriOf(cluster.id), 'mongodb://u:top-secret@127.0.0.1:27017/');
      const stored = await catalog.transaction(async (tx) => JSON.stringify((await tx.executeSql('select * from clusters')).rows));
      assert.doesNotMatch(stored, /top-secret/);
      await catalog.clusters.learn(cluster.id, { mongodbVersion: '6.0.5', lastSuccessAt: clock.now() });
      const learned = await catalog.clusters.get(cluster.id);
      assert.equal(learned?.mongodbVersion, '6.0.5');
      assert.deepEqual(learned?.lastSuccessAt, clock.now());
      assert.equal(learned?.lastProvenAt, null);
    });

    test('keeps API keys sealed and finds them by their public half', async () => {
      const { orgId } = inventory;
      const key = { id: newId(), orgId, publicKey: 'abcdefgh', privateKey: 'private-half', ha1: 'c0ffee00', description: 'ci', accessList: ['127.0.0.1/32'] };
      await catalog.apiKeys.insert(key);
      const found = await catalog.apiKeys.byPublicKey('abcdefgh');
      assert.equal(found?.ha1, 'c0ffee00');
      assert.deepEqual(found?.accessList, ['127.0.0.1/32']);
      assert.equal(await catalog.apiKeys.byPublicKey('nobody'), null);
      const stored = await catalog.transaction(async (tx) => JSON.stringify((await tx.executeSql('select * from api_keys')).rows));
      assert.doesNotMatch(stored, /private-half|c0ffee00/);
    });

    test('verifies service accounts and users by hash', async () => {
      const { orgId } = inventory;
      const account = { id: newId(), orgId, clientId: 'mdb_sa_id_1', description: '', accessList: [] };
      await catalog.serviceAccounts.insert({ ...account, clientSecret: 'right' });
      assert.equal((await catalog.serviceAccounts.verify('mdb_sa_id_1', 'right'))?.id, account.id);
      assert.equal(await catalog.serviceAccounts.verify('mdb_sa_id_1', 'wrong'), null);
      assert.equal(await catalog.serviceAccounts.verify('nobody', 'right'), null);
      const user = await catalog.users.insert({ id: newId(), orgId, name: 'Admin', password: 'change-me' });
      assert.equal((await catalog.users.byName('aDMIN'))?.id, user.id);
      assert.equal(await catalog.users.verifyPassword(user.id, 'change-me'), true);
      assert.equal(await catalog.users.verifyPassword(user.id, 'change'), false);
      assert.equal(await catalog.users.verifyPassword(null, 'change-me'), false);
    });

    test('takes a secret of a service account until it is over, and several at a time', async () => {
      const account = await catalog.serviceAccounts.insert({ id: newId(), orgId: inventory.orgId, clientId: 'mdb_sa_id_2', description: '', accessList: [], clientSecret: 'declared' });
      clock.advance(1_000);
      const added = await catalog.serviceAccounts.addSecret(account.id, `mdb_sa_sk_${'x'.repeat(40)}last`, new Date(clock.now().getTime() + 60_000));
      const isRight = async (secret: string): Promise<boolean> => (await catalog.serviceAccounts.verify('mdb_sa_id_2', secret)) !== null;
      assert.deepEqual([await isRight('declared'), await isRight(`mdb_sa_sk_${'x'.repeat(40)}last`)], [true, true]);
      assert.deepEqual((await catalog.serviceAccounts.secretsOf([account.id])).map(({ masked, lastUsedAt }) => [masked, lastUsedAt !== null]), [['****', true], ['mdb_sa_sk_****last', true]]);
      clock.advance(60_000);
      assert.equal(await isRight(`mdb_sa_sk_${'x'.repeat(40)}last`), false);
      await catalog.serviceAccounts.setSecret(account.id, 'declared anew');
      assert.deepEqual([await isRight('declared'), await isRight('declared anew'), await catalog.serviceAccounts.deleteSecret(account.id, added.id)], [false, true, true]);
      await catalog.serviceAccounts.delete(account.id);
      assert.deepEqual([await isRight('declared anew'), await catalog.serviceAccounts.secretsOf([account.id])], [false, []]);
    });

    test('locks a user at the limit, also under parallel guesses', async () => {
      const user = await catalog.users.insert({ id: newId(), orgId: inventory.orgId, name: 'admin', password: 'x' });
      const rule = { limit: 5, lockSeconds: 60 };
      const answers = await Promise.all(Array.from({ length: 5 }, () => catalog.users.recordFailure(user.id, rule)));
      assert.equal(answers.filter(({ lockedUntil }) => lockedUntil !== null).length, 1);
      assert.deepEqual((await catalog.users.get(user.id))?.lockedUntil, new Date(clock.now().getTime() + 60_000));
      await catalog.users.recordSuccess(user.id);
      assert.equal((await catalog.users.get(user.id))?.lockedUntil, null);
    });

    test('adds role grants once each', async () => {
      const { orgId, project } = inventory;
      const grants = [{ role: 'ORG_OWNER', orgId }, { role: 'GROUP_READ_ONLY', projectId: project.id }] as const;
      await catalog.roleGrants.add('apiKey', 'k', grants);
      await catalog.roleGrants.add('apiKey', 'k', grants);
      assert.deepEqual(await catalog.roleGrants.of('apiKey', 'k'), [grants[1], grants[0]]);
      assert.deepEqual(await catalog.roleGrants.of('user', 'k'), []);
    });

    test('gives each pair of nonce and count away once', async () => {
      const dies = new Date(clock.now().getTime() + 1000);
      const takes = await Promise.all(Array.from({ length: 8 }, () => catalog.sessions.takeNonceCount('n', 1, dies)));
      assert.equal(takes.filter((taken) => taken).length, 1);
      assert.equal(await catalog.sessions.takeNonceCount('n', 2, dies), true);
      clock.advance(2000);
      assert.equal(await catalog.sessions.sweep(), 2);
    });

    test('ends a session after its time without use', async () => {
      await catalog.sessions.open('hash', { kind: 'user', id: 'u' }, 60);
      clock.advance(50_000);
      assert.deepEqual(await catalog.sessions.touch('hash', 60), { kind: 'user', id: 'u' });
      clock.advance(50_000);
      assert.notEqual(await catalog.sessions.touch('hash', 60), null);
      clock.advance(61_000);
      assert.equal(await catalog.sessions.touch('hash', 60), null);
    });

    test('numbers ids once and for ever, jobs in the same sequence', async () => {
      const { cluster } = inventory;
      const numbers = await Promise.all(Array.from({ length: 6 }, () => catalog.numbers.numberOf('cluster', cluster.id)));
      assert.equal(new Set(numbers).size, 1);
      const [number] = numbers;
      assert.ok(number !== undefined && number >= 2);
      assert.equal(await catalog.numbers.idOf('cluster', number), cluster.id);
      assert.equal(await catalog.numbers.idOf('project', number), null);
      assert.equal(await catalog.numbers.idOf('cluster', 2 ** 70), null);
      const job = await catalog.jobs.insert(jobRow(inventory));
      assert.ok(job.number > number);
      assert.equal((await catalog.jobs.byNumber(job.number))?.id, job.id);
    });

    test('makes the default subclient at first sight', async () => {
      const { cluster } = inventory;
      const made = await Promise.all([catalog.subclients.byName(cluster.id, 'DEFAULT'), catalog.subclients.byName(cluster.id, 'default')]);
      assert.equal(made[0]?.id, made[1]?.id);
      assert.equal(await catalog.subclients.byName(cluster.id, 'other'), null);
      await catalog.subclients.insert({ clusterId: cluster.id, name: 'Shop', databases: ['shop'], collections: [] });
      const { id } = await catalog.subclients.insert({ clusterId: cluster.id, name: 'Archive', databases: [], collections: ['shop.old'], description: 'what is old' });
      assert.deepEqual((await catalog.subclients.list(cluster.id)).map(({ name: one }) => one), ['default', 'Archive', 'Shop']);
      await assert.rejects(catalog.subclients.update(id, { name: 'SHOP' }), code('CATALOG_DUPLICATE'));
      assert.deepEqual(await catalog.subclients.update(id, { name: 'Old', databases: ['old'] }), { id, clusterId: cluster.id, name: 'Old', databases: ['old'], collections: ['shop.old'], description: 'what is old' });
      assert.deepEqual(await catalog.subclients.update(id, {}), await catalog.subclients.get(id));
      await catalog.subclients.remove(id);
      assert.deepEqual([await catalog.subclients.get(id), await catalog.subclients.update(id, { name: 'gone' })], [null, null]);
    });

    test('completes a snapshot only with all that its root says', async () => {
      const job = await catalog.jobs.insert(jobRow(inventory));
      const row = await catalog.snapshots.insert(snapshotRow(inventory, job.id));
      await assert.rejects(catalog.transaction((tx) => tx.executeSql('update snapshots set state = $1 where id = $2', ['completed', row.id])), code('CATALOG_QUERY_FAILED'));
      await catalog.snapshots.complete(row.id, OUTCOME);
      const read = await catalog.snapshots.get(row.id);
      assert.deepEqual(read?.pointInTime, OUTCOME.pointInTime);
      assert.equal(read?.dataSizeBytes, 3_000_000_000);
      assert.deepEqual(read?.expiresAt, OUTCOME.expiresAt);
      assert.equal((await catalog.snapshots.newestCompleted(inventory.cluster.id))?.id, row.id);
    });

    test('keeps an expiry that was set while the capture ran', async () => {
      const snapshotId = newId();
      const job = await catalog.jobs.insert(jobRow(inventory, { snapshotId }));
      const row = await catalog.snapshots.insert(snapshotRow(inventory, job.id, { id: snapshotId }));
      const wished = new Date('2031-05-05T00:00:00Z');
      await catalog.snapshots.setExpiry(row.id, wished);
      assert.deepEqual(await catalog.snapshots.pendingFacts(10), []);
      await catalog.snapshots.complete(row.id, OUTCOME);
      assert.deepEqual((await catalog.snapshots.get(row.id))?.expiresAt, wished);
      await catalog.jobs.requestCancel(job.id, 'test');
      assert.deepEqual((await catalog.snapshots.pendingFacts(10)).map(({ kind, body }) => ({ kind, body })), [{ kind: 'expiry', body: { expiresAt: wished.toISOString() } }]);
    });

    test('deletes a snapshot once and leaves a note for the repository', async () => {
      const { snapshotId } = await insertCompleted(catalog, inventory);
      assert.equal(await catalog.snapshots.markDeleted(snapshotId), true);
      assert.equal(await catalog.snapshots.markDeleted(snapshotId), false);
      assert.equal((await catalog.snapshots.list(inventory.cluster.id, PAGE)).totalCount, 0);
      assert.equal(await catalog.snapshots.newestCompleted(inventory.cluster.id), null);
      const [fact, ...more] = await catalog.snapshots.pendingFacts(10);
      assert.equal(fact?.kind, 'deleted');
      assert.deepEqual(more, []);
      await catalog.snapshots.forgetFact(fact?.id ?? 0);
      assert.deepEqual(await catalog.snapshots.pendingFacts(10), []);
    });

    test('tells the repository at once of a pin, a hold and a new end beside jobs that only read, and of what lets a snapshot go behind them', async () => {
      const { snapshotId } = await insertCompleted(catalog, inventory);
      const kindsTold = async (): Promise<unknown[]> => {
        const facts = (await catalog.snapshots.pendingFacts(10)).filter((fact) => fact.snapshotId === snapshotId);
        for (const { id } of facts) await catalog.snapshots.forgetFact(id);
        return facts.map(({ kind, body }) => [kind, body['kept']]);
      };
      const reading = await catalog.jobs.insert(jobRow(inventory, { kind: 'export', snapshotId }));
      assert.equal(await catalog.jobs.requestPause(reading.id), 'paused');
      const keep = { by: 'test', reason: 'case 12', at: '2026-03-01T00:00:00Z' };
      await catalog.snapshots.setKeep(snapshotId, 'hold', keep, true);
      await catalog.snapshots.setKeep(snapshotId, 'pin', keep, true);
      await catalog.snapshots.setExpiry(snapshotId, new Date('2031-01-01T00:00:00Z'));
      assert.deepEqual(await kindsTold(), [['hold', true], ['pin', true], ['expiry', undefined]]);
      await catalog.snapshots.setKeep(snapshotId, 'pin', keep, false);
      await catalog.snapshots.setKeep(snapshotId, 'hold', keep, false);
      await catalog.snapshots.markDeleted(snapshotId);
      assert.deepEqual(await kindsTold(), []);
      await catalog.jobs.requestCancel(reading.id, 'test');
      assert.deepEqual(await kindsTold(), [['pin', false], ['hold', false], ['deleted', undefined]]);
    });

    test('tells of a hold on a snapshot that is still made once that is there', async () => {
      const snapshotId = newId();
      const job = await catalog.jobs.insert(jobRow(inventory, { snapshotId }));
      await catalog.snapshots.insert(snapshotRow(inventory, job.id, { id: snapshotId }));
      await catalog.snapshots.setKeep(snapshotId, 'hold', { by: 'test', reason: 'case 13', at: '2026-03-01T00:00:00Z' }, true);
      assert.deepEqual(await catalog.snapshots.pendingFacts(10), []);
      await catalog.jobs.requestCancel(job.id, 'test');
      assert.deepEqual((await catalog.snapshots.pendingFacts(10)).map(({ kind }) => kind), ['hold']);
    });

    test('reads a restore with its snapshot, its job and its download', async () => {
      const { project, cluster } = inventory;
      const { snapshotId } = await insertCompleted(catalog, inventory);
      const id = newId();
      const job = await catalog.jobs.insert(jobRow(inventory, { kind: 'prepareDownload', snapshotId, restoreId: id }));
      const restore = await catalog.restores.insert({
        id, delivery: 'download', form: 'flex', projectId: project.id, clusterId: cluster.id, clusterName: cluster.name, snapshotId, target: null, jobId: job.id,
        selection: { databases: ['a'], collections: ['a.b\u0001'], renames: [{ from: 'a', to: 'c' }] }, indexStrategy: 'ALL', usersAndRoles: false,
        download: { expirationHours: 4, maxDownloads: 2, fileName: 'x.tar.gz', readyAtOnce: false },
      });
      assert.deepEqual([restore.state, restore.form], ['queued', 'flex']);
      assert.deepEqual(restore.snapshotPointInTime, OUTCOME.pointInTime);
      assert.deepEqual(restore.selection.collections, ['a.b\u0001']);
      assert.deepEqual(restore.download, { expirationHours: 4, maxDownloads: 2, downloads: 0, fileName: 'x.tar.gz', readyAt: null, expiresAt: null, sha1: null });
      await catalog.restores.setDownloadReady(id);
      clock.advance(60_000);
      await catalog.restores.setDownloadReady(id);
      await catalog.restores.countDownload(id, 'abc');
      const ready = (await catalog.restores.get(id))?.download;
      assert.equal(ready?.downloads, 1);
      assert.equal((ready?.expiresAt?.getTime() ?? 0) - (ready?.readyAt?.getTime() ?? 0), 4 * 3_600_000);
      assert.equal(ready?.expiresAt?.getTime(), clock.now().getTime() - 60_000 + 4 * 3_600_000);
      const proof = { provenAt: clock.now(), collections: 2, documents: 5, bytes: 77 };
      await catalog.restores.saveProof(id, proof, { odd: 'name with \u0000' });
      assert.deepEqual((await catalog.restores.get(id))?.proof, proof);
      assert.deepEqual(await catalog.restores.result(id), { odd: 'name with \u0000' });
    });

    test('pages through long lists of several months, and counts them, through every change', async () => {
      const { cluster } = inventory;
      const ids: string[] = [];
      for (let n = 0; n < 23; n += 1) {
        ids.unshift((await insertCompleted(catalog, inventory)).snapshotId);
        // Some fall into the same month, and one on the first instant of the next.
        clock.advance(n === 10 ? untilNextMonth(clock.now()) : 4 * 86_400_000);
      }
      for (const itemsPerPage of [1, 5, 23, 40]) {
        const read: string[] = [];
        const jobs: string[] = [];
        for (let pageNumber = 1; pageNumber <= Math.ceil(23 / itemsPerPage); pageNumber += 1) {
          const { items, totalCount } = await catalog.snapshots.list(cluster.id, { pageNumber, itemsPerPage }, { completedOnly: pageNumber % 2 === 0 });
          assert.equal(totalCount, 23);
          read.push(...items.map(({ id }) => id));
          jobs.push(...(await catalog.jobs.list({ clusterIds: [cluster.id] }, { pageNumber, itemsPerPage })).items.map(({ snapshotId }) => snapshotId ?? ''));
        }
        assert.deepEqual([read, jobs], [ids, ids]);
      }
      assert.deepEqual(await catalog.snapshots.list(cluster.id, { pageNumber: 7, itemsPerPage: 5 }), { items: [], totalCount: 23 });
      await catalog.snapshots.markDeleted(ids[3] ?? '');
      assert.equal((await catalog.snapshots.list(cluster.id, PAGE)).totalCount, 22);
      const waiting = await catalog.jobs.insert(jobRow(inventory));
      await catalog.snapshots.insert(snapshotRow(inventory, waiting.id));
      assert.equal((await catalog.snapshots.list(cluster.id, PAGE)).totalCount, 23);
      assert.equal((await catalog.snapshots.list(cluster.id, PAGE, { completedOnly: true })).totalCount, 22);
      const unfinished = await catalog.snapshots.list(cluster.id, PAGE, { unfinishedOnly: true });
      assert.deepEqual([unfinished.totalCount, unfinished.items.map(({ jobId }) => jobId)], [1, [waiting.id]]);
      const counted = async (filter: Parameters<Catalog['jobs']['list']>[0]): Promise<number> => {
        const { items, totalCount } = await catalog.jobs.list(filter, PAGE);
        assert.equal(items.length, totalCount);
        return totalCount;
      };
      assert.equal(await counted({ clusterIds: [cluster.id] }), 24);
      assert.equal(await counted({ clusterIds: [cluster.id, 'another'], active: true }), 1);
      await catalog.jobs.requestCancel(waiting.id, 'test');
      assert.equal(await counted({ projectId: inventory.project.id, active: true }), 0);
      assert.equal(await counted({ active: false, kinds: ['snapshot'] }), 24);
      assert.equal(await counted({ kinds: ['restore'] }), 0);
      assert.equal(await counted({ clusterIds: [] }), 0);
    });

    test('reads times to the millisecond, whatever their year', async () => {
      const { rows } = await catalog.transaction((tx) => tx.executeSql(`select unnest(array['2026-03-01T12:00:00.5Z', '2026-12-31T23:59:59.123456Z', '0033-04-03T15:00:00Z', '2024-02-29T00:00:00+02:00']::timestamptz[]) as at`));
      assert.deepEqual(rows.map(({ at }) => (at as Date).toISOString()), ['2026-03-01T12:00:00.500Z', '2026-12-31T23:59:59.123Z', '0033-04-03T15:00:00.000Z', '2024-02-28T22:00:00.000Z']);
    });

    test('rolls a whole transaction back', async () => {
      await assert.rejects(catalog.transaction(async (tx) => {
        await tx.organizations.insert({ id: newId(), name: 'gone' });
        throw new Error('stop');
      }), /stop/);
      assert.equal(await catalog.organizations.byName('gone'), null);
    });

    test('keeps settings, the first writer winning', async () => {
      assert.equal(await catalog.settings.get('k'), undefined);
      const stored = await Promise.all([1, 2, 3].map((value) => catalog.settings.getOrSet('k', { value })));
      assert.deepEqual(stored[0], stored[1]);
      await catalog.settings.set('k', null);
      assert.equal(await catalog.settings.get('k'), null);
    });

    test('pages through audit events of several months, and counts those that are told, through every change', async () => {
      const [here, other] = [inventory, await makeInventory(catalog)];
      const event = { principalKind: null, principalId: null, principalName: null, action: 'a', projectId: here.project.id, orgId: here.orgId, object: null, address: '127.0.0.1', details: { status: 200 } };
      const told: string[] = [];
      const times: Date[] = [];
      for (let n = 0; n < 15; n += 1) {
        times.unshift(clock.now());
        const action = ['a', 'b', 'c'][n % 3] ?? '';
        const begun = await catalog.auditEvents.begin({ ...event, action: `${action}${n}`, details: {} });
        const refused = await catalog.auditEvents.begin({ ...event, action: 'refused', details: {} });
        await catalog.auditEvents.settle(refused, [{ ...event, action: 'refused', details: { status: 403 } }]);
        // Every fifth is never answered.
        if (n % 5 !== 0) await catalog.auditEvents.settle(begun, [{ ...event, action: `${action}${n}` }]);
        await catalog.auditEvents.insert({ ...event, projectId: null, orgId: other.orgId });
        told.unshift(`${action}${n}`);
        clock.advance(n === 7 ? untilNextMonth(clock.now()) : 5 * 86_400_000);
      }
      const read = async (filter: Parameters<typeof catalog.auditEvents.list>[0], itemsPerPage: number): Promise<readonly string[]> => {
        const actions: string[] = [];
        for (let pageNumber = 1; ; pageNumber += 1) {
          const { items, totalCount } = await catalog.auditEvents.list({ toldOnly: true, ...filter }, { pageNumber, itemsPerPage });
          actions.push(...items.map(({ action, outcomeUnknown }) => (outcomeUnknown ? `${action}?` : action)));
          if (items.length > 0) continue;
          assert.equal(totalCount, actions.length);
          return actions;
        }
      };
      const marked = told.map((action) => (Number(action.slice(1)) % 5 === 0 ? `${action}?` : action));
      for (const itemsPerPage of [1, 4, 50]) for (const filter of [{ projectId: here.project.id }, { orgId: here.orgId }, { orgId: here.orgId, inProjects: [here.project.id] }, { orgId: here.orgId, from: new Date(0) }]) assert.deepEqual(await read(filter, itemsPerPage), marked);
      const second = new Date(times[6] ?? 0);
      assert.equal(second.getUTCDate(), 1, 'one lies on the first instant of a month');
      // Within a month, over whole ones, from and up to an event and right beside one.
      for (const from of [times[14], times[10], times[6], second, times[2]]) for (const to of [times[10], times[6], times[5], times[1], times[0]]) for (const beside of [0, 1]) {
        const [begin, end] = [new Date((from ?? second).getTime() + beside), new Date((to ?? second).getTime() - beside)];
        const wanted = marked.filter((_, n) => (times[n] ?? begin) >= begin && (times[n] ?? end) <= end);
        assert.deepEqual(await read({ projectId: here.project.id, from: begin, to: end }, 4), wanted, `${begin.toISOString()} to ${end.toISOString()}`);
      }
      assert.deepEqual([await read({ orgId: here.orgId, from: second }, 4), await read({ orgId: here.orgId, to: second }, 4)], [marked.slice(0, 7), marked.slice(6)]);
      assert.deepEqual([await read({ orgId: here.orgId, inProjects: [] }, 4), (await read({ orgId: other.orgId, inProjects: [] }, 4)).length], [[], 15]);
      assert.deepEqual(await read({ projectId: here.project.id, actions: ['b1', 'c5', 'refused'] }, 1), ['c5?', 'b1']);
      assert.deepEqual(await read({ projectId: here.project.id, exceptActions: told.slice(0, 13) }, 1), ['b1', 'a0?']);
      await catalog.transaction((tx) => tx.executeSql("delete from audit_events where action in ('a3', 'c5')"));
      assert.deepEqual(await read({ projectId: here.project.id }, 4), marked.filter((action) => !/^(a3|c5)/.test(action)));
    });

    test('puts what was done in several places in the place of an event that was begun', async () => {
      const event = { principalKind: null, principalId: null, principalName: null, action: 'a', projectId: null, orgId: inventory.orgId, object: null, address: '127.0.0.1', details: {} };
      const id = await catalog.auditEvents.begin(event);
      const began = clock.now();
      clock.advance(60_000);
      const places = [inventory.project.id, (await makeInventory(catalog)).project.id];
      await catalog.auditEvents.settle(id, places.map((projectId) => ({ ...event, projectId, details: { status: 200 } })));
      const { items } = await catalog.auditEvents.list({ toldOnly: true }, PAGE);
      assert.deepEqual(items.map(({ projectId }) => projectId).sort(), places.toSorted());
      assert.deepEqual(items.map(({ at, outcomeUnknown }) => [at, outcomeUnknown]), [[began, false], [began, false]]);
    });

    test('does not know the outcome of what failed on our side: it may have been done all the same', async () => {
      const event = { principalKind: null, principalId: null, principalName: null, action: 'a', projectId: inventory.project.id, orgId: inventory.orgId, object: null, address: '127.0.0.1', details: {} };
      for (const status of [200, 409, 500, 503]) await catalog.auditEvents.settle(await catalog.auditEvents.begin(event), [{ ...event, details: { status } }]);
      const { items, totalCount } = await catalog.auditEvents.list({ toldOnly: true, projectId: inventory.project.id }, PAGE);
      assert.deepEqual([totalCount, items.map(({ details, outcomeUnknown }) => [details['status'], outcomeUnknown])], [3, [[503, true], [500, true], [200, false]]]);
    });

    test('lists audit events newest first', async () => {
      const event = { principalKind: null, principalId: null, principalName: null, action: 'a', projectId: inventory.project.id, orgId: null, object: null, address: '127.0.0.1', details: { n: 1, status: 200 } };
      await catalog.auditEvents.insert(event);
      await catalog.auditEvents.insert({ ...event, action: 'b', projectId: null });
      assert.deepEqual((await catalog.auditEvents.list({ projectId: null }, PAGE)).items.map(({ action }) => action), ['b', 'a']);
      assert.equal((await catalog.auditEvents.list({ projectId: inventory.project.id }, PAGE)).totalCount, 1);
      await catalog.auditEvents.insert({ ...event, action: 'c', details: { status: 403 } });
      const actions = async (filter: Parameters<typeof catalog.auditEvents.list>[0]): Promise<string[]> => (await catalog.auditEvents.list(filter, PAGE)).items.map(({ action }) => action);
      // A known project says whose organization it is.
      assert.deepEqual(await actions({ orgId: inventory.orgId }), ['c', 'a']);
      assert.deepEqual([await actions({ orgId: inventory.orgId, toldOnly: true }), await actions({ exceptActions: ['b', 'c'] }), await actions({ actions: [] }), await actions({ to: new Date(0) })], [['a'], ['a'], [], []]);
    });
  });
}

/** In milliseconds. */
function untilNextMonth(now: Date): number {
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1) - now.getTime();
}
