// Reads of organizations, groups and clusters: what clients need on the way to a backup.
import type { Cluster, Organization, Page, PageOf, Project } from '../../../../domain/records.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { Answer } from '../../answer.ts';
import { findProjectByName } from '../../find-project.ts';
import type { Call, ProjectCall } from '../../mms-routes.ts';
import { cutPage } from '../../../../domain/cut-page.ts';
import { readEveryPage } from '../../read-every-page.ts';
import { readId } from '../../read-id.ts';
import { parameter } from '../../read-query.ts';
import { thereOrKept } from '../../there-or-kept.ts';
import { presentCluster, presentGroup, presentOrganization } from './present.ts';

export async function listOrganizations(call: Call): Promise<Answer> {
  const page = call.page();
  const name = parameter(call.query, 'name')?.toLowerCase();
  const found = name === undefined ? await call.services.inventory.organizations(call.principal, page)
    : cutPage((await visibleOrganizations(call)).filter((each) => each.name.toLowerCase().startsWith(name)), page);
  return { kind: 'list', page, totalCount: found.totalCount, results: found.items.map((each) => presentOrganization(each, call.root)) };
}

export async function getOrganization(call: Call): Promise<Answer> {
  const id = readId('organization', call.params['orgId']);
  const organization = (await visibleOrganizations(call)).find((each) => each.id === id);
  if (organization === undefined) throw new LeafvaultError('ORGANIZATION_NOT_FOUND', `Reading organization ${id} failed: it is not visible`, { details: { id } });
  return { kind: 'one', body: presentOrganization(organization, call.root) };
}

export async function listOrganizationGroups(call: Call): Promise<Answer> {
  const page = call.page();
  const orgId = readId('organization', call.params['orgId']);
  await getOrganization(call);
  const name = parameter(call.query, 'name')?.toLowerCase();
  const all = await readEveryPage((each) => call.services.inventory.projects(call.principal, each));
  const inside = all.filter((each) => each.orgId === orgId && (name === undefined || each.name.toLowerCase().startsWith(name)));
  return listGroupsOf(call, page, cutPage(inside, page));
}

export async function listGroups(call: Call): Promise<Answer> {
  const page = call.page();
  return listGroupsOf(call, page, await call.services.inventory.projects(call.principal, page));
}

export async function getGroup(call: ProjectCall): Promise<Answer> {
  const { totalCount } = await call.services.inventory.clusters(call.project.id, { pageNumber: 1, itemsPerPage: 1 });
  return { kind: 'one', body: presentGroup(call.project, totalCount, call.root) };
}

export async function getGroupByName(call: Call): Promise<Answer> {
  return getGroup({ ...call, project: await findProjectByName(call, call.params['groupName'] ?? '') });
}

export async function listClusters(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const found = await listedClusters(call, page);
  return { kind: 'list', page, totalCount: found.totalCount, results: await Promise.all(found.items.map((each) => showCluster(call, each))) };
}

/** With what is done of it by itself. */
export async function showCluster(call: Call, cluster: Cluster): Promise<object> {
  return presentCluster({ cluster, isBackedUp: (await call.services.backupConfigs.stateOf(cluster)) === 'started' }, call.version, call.root);
}

/** Deleted ones whose snapshots are kept come last, when they are asked for. */
async function listedClusters(call: ProjectCall, page: Page): Promise<PageOf<Cluster>> {
  if (parameter(call.query, 'includeDeletedWithRetainedBackups')?.toLowerCase() !== 'true') return call.services.inventory.clusters(call.project.id, page);
  const there = await readEveryPage((each) => call.services.inventory.clusters(call.project.id, each));
  return cutPage([...there, ...(await call.services.administration.clusters.kept(call.project.id))], page);
}

export async function getCluster(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: await showCluster(call, await clusterOf(call)) };
}

/** Nothing is ever pending here: what is configured holds. */
export async function getClusterStatus(call: ProjectCall): Promise<Answer> {
  await clusterOf(call);
  return { kind: 'one', body: { changeStatus: 'APPLIED' } };
}

/** No cluster is flex. */
export async function listFlexClusters(call: ProjectCall): Promise<Answer> {
  return { kind: 'list', page: call.page(), totalCount: 0, results: [] };
}

/**
 * Clients ask the flex API first and fall through only on this answer or on an unknown cluster.
 * @throws NOT_FLEX, CLUSTER_NOT_FOUND
 */
export async function refuseFlex(call: ProjectCall): Promise<Answer> {
  const { name } = await sourceOf(call);
  throw new LeafvaultError('NOT_FLEX', `Using the flex API failed: cluster ${name} is not flex`, { details: { clusterName: name } });
}

/** Also one that was deleted while its snapshots were kept. @throws CLUSTER_NOT_FOUND */
export function sourceOf(call: ProjectCall): Promise<Cluster> {
  return thereOrKept(clusterOf(call), () => call.services.administration.clusters.keptByName(call.project.id, call.params['clusterName'] ?? ''));
}

/** @throws CLUSTER_NOT_FOUND */
export function clusterOf(call: ProjectCall): Promise<Cluster> {
  return call.services.inventory.clusterByName(call.project.id, call.params['clusterName'] ?? '');
}

function visibleOrganizations(call: Call): Promise<readonly Organization[]> {
  return readEveryPage((page) => call.services.inventory.organizations(call.principal, page));
}

async function listGroupsOf(call: Call, page: Page, found: PageOf<Project>): Promise<Answer> {
  const visible = await call.services.inventory.visibleClusters(call.principal);
  const countOf = (projectId: string): number => visible.filter(({ project }) => project.id === projectId).length;
  return { kind: 'list', page, totalCount: found.totalCount, results: found.items.map((each) => presentGroup(each, countOf(each.id), call.root)) };
}
