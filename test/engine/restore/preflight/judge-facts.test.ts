import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON } from 'mongodb';
import type { CollectionBody, EntryKind } from '../../../../src/engine/contracts.ts';
import { RESTORE_ACTIONS } from '../../../../src/engine/mongo/roles.ts';
import type { Listed } from '../../../../src/engine/restore/open-target.ts';
import { newPlan } from '../../../../src/engine/restore/plan.ts';
import type { TargetFacts } from '../../../../src/engine/restore/preflight/gather-facts.ts';
import { judgeFacts, type Request } from '../../../../src/engine/restore/preflight/judge-facts.ts';
import type { SelectedEntry } from '../../../../src/engine/restore/select-entries.ts';

const NO_LIST = { root: null, height: 0, chunks: 0, records: 0, rawBytes: 0 };

function entry(kind: EntryKind, namespace: string, changes: { to?: string; bytes?: number; options?: Record<string, unknown> } = {}): SelectedEntry {
  const split = (text: string): [string, string] => [text.slice(0, text.indexOf('.')), text.slice(text.indexOf('.') + 1)];
  const [db, name] = split(namespace);
  const [toDb, toName] = split(changes.to ?? namespace);
  const body: CollectionBody = { kind, db, name, uuid: null, options: Buffer.from(BSON.serialize(changes.options ?? {})).toString('base64'), indexes: '', documents: 1, bytes: changes.bytes ?? 100, hash: '', capped: false, orderedHash: null, cutMask: 0 };
  return { entry: { body, namespace, scan: NO_LIST, touched: NO_LIST, patch: NO_LIST }, db: toDb, name: toName };
}

function live(db: string, names: Record<string, Listed['type']>): TargetFacts['live'] {
  return new Map([[db, new Map(Object.entries(names).map(([name, type]) => [name, { name, type, uuid: type === 'collection' ? '0'.repeat(32) : null, options: new Map() }]))]]);
}

const FACTS: TargetFacts = {
  version: '6.0.5', featureCompatibilityVersion: '6.0', topology: 'replicaSet', writablePrimary: true, account: { users: [], roles: [], privileges: null },
  databases: ['shop'], live: new Map(), freeBytes: 1e12, oplogBytes: 1e12, openPlans: [], shadows: new Set(), denied: [],
};

function judge(facts: Partial<TargetFacts>, selected: readonly SelectedEntry[], request: Partial<Request> = {}): ReturnType<typeof judgeFacts> {
  return judgeFacts({ ...FACTS, ...facts }, {
    selection: { databases: [], collections: [], renames: [] }, timeSeries: 'refuse', usersAndRoles: false, sourceVersion: '6.0.5',
    captured: { databases: [], collections: [] }, sourceFeatureCompatibilityVersion: '6.0', entries: selected.map((each) => each.entry), selected, ...request,
  });
}

const reasons = (...given: Parameters<typeof judge>): string => judge(...given).reasons.join('\n');
const warnings = (...given: Parameters<typeof judge>): string => judge(...given).warnings.join('\n');

describe('preflight', () => {
  const orders = entry('collection', 'shop.orders');

  test('lets a plain restore go without a word', () => assert.deepEqual(judge({}, [orders]), { reasons: [], warnings: [] }));

  test('collects every reason', () => {
    const all = judge({ topology: 'sharded', freeBytes: 1, live: live('shop', { orders: 'view' }), denied: ['listing the databases: no'] }, [orders]);
    assert.equal(all.reasons.length, 4);
  });

  test('refuses a target without a primary, and an old one', () => {
    assert.match(reasons({ writablePrimary: false }, [orders]), /no primary/);
    assert.match(reasons({ version: '4.4.29' }, [orders]), /older than 5\.0/);
  });

  test('refuses where the documents do not fit beside what is live, and warns when it is close', () => {
    assert.match(reasons({ freeBytes: 99 }, [orders]), /99 bytes free and the documents have 100 bytes/);
    assert.match(warnings({ freeBytes: 120 }, [orders]), /indexes and the oplog need more/);
    assert.match(reasons({ freeBytes: 199 }, [entry('timeseries', 'shop.ts')]), /200 bytes/);
    assert.match(warnings({ freeBytes: null }, [orders]), /not known/);
  });

  test('of a drill asks for half as much again, for room in its scratch databases and for the right to drop them', () => {
    const drill = { rehearse: true, room: 1.5 };
    const scratch = entry('collection', 'shop.orders', { to: '__lvd_0123456789ab_1.orders' });
    assert.equal(reasons({ freeBytes: 150 }, [scratch], drill), '');
    assert.match(reasons({ freeBytes: 149 }, [scratch], drill), /it asks for 1\.5 times of them/);
    assert.match(reasons({ databases: ['__lvd_0123456789ab_1'] }, [scratch], drill), /has a database __lvd_0123456789ab_1 already/);
    assert.equal(reasons({}, [entry('collection', 'shop.orders', { to: `__lvd_0123456789ab_1.${'x'.repeat(251)}` })], drill), '', 'a name that is never given can be long');
    const privileges = [{ resource: { cluster: true }, actions: ['listDatabases', 'applyOps', 'useUUID'] }, { resource: { db: '', collection: '' }, actions: [...RESTORE_ACTIONS, 'dbStats'] }];
    const account = { users: ['admin.lv'], roles: [], privileges };
    assert.equal(reasons({ account }, [scratch]), '');
    assert.match(reasons({ account }, [scratch], drill), /lacks dropDatabase on the database __lvd_0123456789ab_1/);
  });

  test('tells what is kept for an undo where there is too little room', () => {
    const kept = { live: live('shop', { orders: 'collection', '__lv_0123456789ab.old1': 'collection' }), shadows: new Set(['shop.__lv_0123456789ab.old1']) };
    assert.match(reasons({ freeBytes: 99, ...kept }, [orders]), /1 collections are kept there for an undo of earlier restores \(shop\.__lv_0123456789ab\.old1\)/);
    assert.doesNotMatch(reasons({ freeBytes: 99 }, [orders]), /kept/);
  });

  test('refuses names that a target can not take', () => {
    for (const [to, words] of [
      [`shop.${'x'.repeat(251)}`, /longer than 255 bytes/], ['a b.c', /no name that a database/], [`${'d'.repeat(64)}.c`, /no name that a database/], ['local.c', /belongs to the server/],
      ['Shop.c', /differs from Shop in case only/], ['shop.system.users', /no name that a collection/], ['shop..c', /no name that a collection/],
    ] as const) assert.match(reasons({}, [entry('collection', 'shop.orders', { to })]), words);
    assert.match(reasons({}, [orders, entry('collection', 'x.y', { to: 'shop.orders' })]), /would both become shop\.orders/);
    assert.match(reasons({ databases: [] }, [entry('collection', 'a.c'), entry('collection', 'A.c')]), /but for case/);
  });

  test('refuses what nothing can be renamed over', () => {
    assert.match(reasons({ live: live('shop', { orders: 'view' }) }, [orders]), /is a view on the target/);
    assert.match(reasons({ live: live('shop', { orders: 'timeseries' }) }, [orders]), /is a time series on the target/);
    assert.match(reasons({ live: live('shop', { ts: 'view' }) }, [entry('timeseries', 'shop.ts')]), /is a view on the target and a time series/);
    assert.equal(reasons({ live: live('shop', { v: 'collection' }) }, [entry('view', 'shop.v')]), '');
  });

  test('refuses a live time series until somebody chose, and says what there is to choose', () => {
    const series = entry('timeseries', 'shop.ts');
    const there = { live: live('shop', { ts: 'timeseries' }) };
    assert.match(reasons(there, [series]), /shop\.ts is a time series that is there.*`replace`.*`beside`/);
    for (const timeSeries of ['replace', 'beside'] as const) assert.equal(reasons(there, [series], { timeSeries }), '');
    assert.match(warnings(there, [series], { timeSeries: 'beside' }), /a name beside it/);
    assert.equal(warnings(there, [series], { timeSeries: 'replace' }), '');
  });

  test('says that a plain collection in the place of a time series is moved aside', () => {
    const there = { live: live('shop', { ts: 'collection' }) };
    assert.equal(reasons(there, [entry('timeseries', 'shop.ts')]), '');
    assert.match(warnings(there, [entry('timeseries', 'shop.ts')]), /is moved aside and kept/);
  });

  test('refuses what an older target can not hold, and warns of any other difference', () => {
    const images = entry('collection', 'shop.images', { options: { changeStreamPreAndPostImages: { enabled: true } } });
    assert.match(reasons({ version: '5.0.3', featureCompatibilityVersion: '5.0' }, [images]), /needs MongoDB 6\.0; the target's feature compatibility version is 5\.0/);
    assert.match(reasons({ featureCompatibilityVersion: '5.0' }, [entry('collection', 'shop.c', { options: { clusteredIndex: {} } })]), /clustered/);
    assert.equal(reasons({ featureCompatibilityVersion: '5.0' }, [entry('collection', 'shop.c', { options: { changeStreamPreAndPostImages: { enabled: false } } })]), '');
    assert.match(reasons({ featureCompatibilityVersion: '5.0' }, [orders], { needRoom: ['shop.log'] }), /^shop\.log held more than its limits say, which needs MongoDB 6\.0/);
    assert.equal(reasons({}, [orders], { needRoom: ['shop.log'] }), '');
    assert.match(warnings({ version: '5.0.3', featureCompatibilityVersion: '5.0' }, [orders]), /older than the source/);
    assert.match(warnings({ version: '8.0.1', featureCompatibilityVersion: '8.0' }, [orders]), /not tested with/);
  });

  test('refuses what was chosen but is not in the snapshot', () => {
    assert.match(reasons({}, [], { selection: { databases: ['shop'], collections: ['a.b'], renames: [{ from: 'c', to: 'd' }] }, entries: [orders.entry] }), /^a\.b is not in the snapshot\nc is not in the snapshot$/);
  });

  test('refuses collections of another restore that is not over', () => {
    const plan = newPlan({ restoreId: 'r1', snapshotId: 's', oldCollections: 'drop', createdAt: '', warnings: [] });
    plan.views.push({ from: 'shop.orders', db: 'shop', name: 'orders', options: '', viewOn: '', trial: '__lv_x.1' });
    assert.match(reasons({ openPlans: [plan] }, [orders]), /r1 of the same collections is not over/);
    assert.equal(reasons({ openPlans: [plan] }, [entry('collection', 'shop.other')]), '');
  });

  test('warns of a small oplog and of live collections that the snapshot lacks', () => {
    assert.match(warnings({ oplogBytes: 150 }, [orders]), /secondary that falls behind/);
    assert.match(warnings({ live: live('shop', { extra: 'collection', 'system.views': 'collection', kept: 'collection' }), shadows: new Set(['shop.kept']) }, [orders]), /lacks 1 live collections.*: shop\.extra$/);
    assert.equal(warnings({ live: live('shop', { extra: 'collection' }) }, [orders], { selection: { databases: ['shop'], collections: [], renames: [] } }), '');
  });

  test('says nothing of live collections that the capture was not told to take, or does not say', () => {
    const facts = { live: live('shop', { extra: 'collection' }) };
    assert.equal(warnings(facts, [orders], { captured: { databases: ['crm'], collections: ['shop.orders'] } }), '');
    assert.equal(warnings(facts, [orders], { captured: undefined }), '');
    assert.match(warnings(facts, [orders], { captured: { databases: ['shop'], collections: [] } }), /lacks 1 live collections/);
  });

  test('names each missing privilege', () => {
    const account = { users: ['admin.u'], roles: [], privileges: [{ resource: { db: '', collection: '' }, actions: ['find', 'insert'] }, { resource: { cluster: true }, actions: ['listDatabases', 'applyOps', 'useUUID'] }] };
    const words = reasons({ account }, [orders, entry('timeseries', 'shop.ts'), entry('collection', 'shop.system.js'), entry('users', 'admin.system.users')], { usersAndRoles: true });
    assert.match(words, /lacks update, remove, createCollection.*on the database shop\n/);
    assert.match(words, /on the buckets of time series in shop/);
    assert.match(words, /on shop\.system\.js/);
    assert.match(words, /lacks createUser.*on users and roles/);
    const root = { users: ['admin.root'], roles: [], privileges: [{ resource: { anyResource: true }, actions: ['anyAction'] }] };
    assert.equal(reasons({ account: root }, [orders, entry('timeseries', 'shop.ts')]), '');
  });
});
