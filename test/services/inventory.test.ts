import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RoleGrant } from '../../src/domain/roles.ts';
import { newId } from '../../src/foundation/ids.ts';
import { makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { openServicesWorld, principalWith, type ServicesWorld } from '../support/services-world.ts';

const PAGE = { pageNumber: 1, itemsPerPage: 100 };
let database: TestDatabase;
let world: ServicesWorld;
let mine: Inventory;
let theirs: Inventory;

before(async () => {
  database = await startEmbedded();
  world = await openServicesWorld(database);
  mine = world.inventory;
  theirs = await makeInventory(world.catalog);
});

after(async () => {
  await world?.close();
  await database?.stop();
});

/** Names of organizations, projects and clusters that a principal with these grants sees. */
async function seenWith(grants: readonly RoleGrant[]) {
  const { inventory } = world.services;
  const principal = principalWith(mine.orgId, grants);
  const [organizations, projects, clusters] = await Promise.all([inventory.organizations(principal, PAGE), inventory.projects(principal, PAGE), inventory.visibleClusters(principal)]);
  return {
    organizations: organizations.items.map(({ id }) => id).sort(),
    projects: projects.items.map(({ id }) => id).sort(),
    clusters: clusters.map(({ project, cluster }) => `${project.id}/${cluster.id}`).sort(),
  };
}

function all(...of: readonly Inventory[]) {
  return {
    organizations: of.map(({ orgId }) => orgId).sort(),
    projects: of.map(({ project }) => project.id).sort(),
    clusters: of.map(({ project, cluster }) => `${project.id}/${cluster.id}`).sort(),
  };
}

describe('what a principal sees', () => {
  test('is everything with a global role', async () => {
    assert.deepEqual(await seenWith([{ role: 'GLOBAL_READ_ONLY' }]), all(mine, theirs));
  });

  test('is its organization with an owner or reader of it', async () => {
    for (const role of ['ORG_OWNER', 'ORG_READ_ONLY'] as const) assert.deepEqual(await seenWith([{ role, orgId: mine.orgId }]), all(mine));
  });

  test('is no project as a mere member', async () => {
    assert.deepEqual(await seenWith([{ role: 'ORG_MEMBER', orgId: mine.orgId }]), { organizations: [mine.orgId], projects: [], clusters: [] });
  });

  test('is the project in which it holds a role, and its own organization', async () => {
    assert.deepEqual(await seenWith([{ role: 'GROUP_READ_ONLY', projectId: theirs.project.id }]), { ...all(theirs), organizations: [mine.orgId] });
  });
});

describe('looking up', () => {
  test('finds a project and a cluster by name and id', async () => {
    const { inventory } = world.services;
    assert.deepEqual(await inventory.project(mine.project.id), mine.project);
    assert.deepEqual(await inventory.clusterByName(mine.project.id, mine.cluster.name), mine.cluster);
    assert.deepEqual(await inventory.clusterById(mine.project.id, mine.cluster.id), mine.cluster);
    assert.deepEqual((await inventory.clusters(mine.project.id, PAGE)).items, [mine.cluster]);
  });

  test('never shows a connection string', async () => {
    assert.ok(!JSON.stringify(await world.services.inventory.visibleClusters(principalWith(mine.orgId, [{ role: 'GLOBAL_OWNER' }]))).includes('top-secret'));
  });

  test('fails by name for what is not there', async () => {
    const { inventory } = world.services;
    for (const id of [newId(), 'nope', '\0', '']) await assert.rejects(inventory.project(id), { code: 'PROJECT_NOT_FOUND', details: { id } });
    for (const name of ['nothing', '\0', theirs.cluster.name]) {
      await assert.rejects(inventory.clusterByName(mine.project.id, name), { code: 'CLUSTER_NOT_FOUND', details: { projectId: mine.project.id, name } });
    }
    for (const id of [newId(), 'nope', theirs.cluster.id]) {
      await assert.rejects(inventory.clusterById(mine.project.id, id), { code: 'CLUSTER_NOT_FOUND', details: { projectId: mine.project.id, id } });
    }
  });
});

describe('the smaller services', () => {
  test('number things for ever, from 2 up', async () => {
    const { numbers } = world.services;
    const number = await numbers.numberOf('cluster', mine.cluster.id);
    assert.ok(number >= 2);
    assert.equal(await numbers.numberOf('cluster', mine.cluster.id), number);
    assert.equal(await numbers.idOf('cluster', number), mine.cluster.id);
    assert.equal(await numbers.idOf('project', number), null);
  });

  test('know the subclient of everything by its name in any case', async () => {
    const found = await world.services.subclients.resolve(mine.cluster.id, 'DEFAULT');
    assert.deepEqual([found.name, found.databases, found.collections], ['default', [], []]);
    await assert.rejects(world.services.subclients.resolve(mine.cluster.id, 'nothing'), { code: 'SUBCLIENT_NOT_FOUND' });
  });

  test('fail by name for jobs that are not there', async () => {
    const { jobs } = world.services;
    await assert.rejects(jobs.get(newId()), { code: 'JOB_NOT_FOUND' });
    await assert.rejects(jobs.get('\0'), { code: 'JOB_NOT_FOUND' });
    for (const number of [0, -1, 1e300, 0.5, Number.NaN]) await assert.rejects(jobs.byNumber(number), { code: 'JOB_NOT_FOUND' }, String(number));
    await assert.rejects(jobs.cancel(newId(), principalWith(mine.orgId, [])), { code: 'JOB_NOT_FOUND' });
  });

  test('write down who did what', async () => {
    const principal = principalWith(mine.orgId, []);
    await world.services.audit.record({ principal, action: 'atlas-v2 POST /x', projectId: mine.project.id, object: '/x', address: '127.0.0.1', details: { status: 200 } });
    const [event] = (await world.catalog.auditEvents.list({ projectId: mine.project.id }, PAGE)).items;
    assert.deepEqual([event?.principalName, event?.action, event?.address, event?.details], ['abcdefgh', 'atlas-v2 POST /x', '127.0.0.1', { status: 200 }]);
  });
});
