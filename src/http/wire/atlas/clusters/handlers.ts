// Clusters that are registered, changed and ended: a cluster is a connection string under a name.
import type { Answer } from '../../answer.ts';
import type { Call, ProjectCall } from '../../mms-routes.ts';
import { cutPage } from '../../../../domain/cut-page.ts';
import { readEveryPage } from '../../read-every-page.ts';
import { flag } from '../../read-query.ts';
import { clusterOf, showCluster } from '../inventory/handlers.ts';
import { parseCreateCluster, parseUpdateCluster } from './parse.ts';
import { presentGroupOfClusters } from './present.ts';

/** Answers once the server did: there is nothing to wait for afterwards. */
export async function createCluster(call: ProjectCall): Promise<Answer> {
  const made = await call.services.administration.clusters.register({ project: call.project, ...parseCreateCluster(call) });
  return { kind: 'one', status: 201, body: await showCluster(call, made) };
}

export async function updateCluster(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const { administration, backupConfigs } = call.services;
  const isBackedUp = (await backupConfigs.stateOf(cluster)) === 'started';
  const { starts, ...change } = parseUpdateCluster({ name: cluster.name, isBackedUp }, call);
  // Before anything is changed: half of what was asked for is done by nobody.
  if (starts) await backupConfigs.requireStep(cluster, 'started');
  const changed = await administration.clusters.change(cluster, change);
  // What follows the oplog now may be all that was asked for.
  const isStarted = !starts || (await backupConfigs.stateOf(changed)) === 'started';
  return { kind: 'one', body: await showCluster(call, isStarted ? changed : (await backupConfigs.change({ cluster: changed, principal: call.principal, state: 'started' })).cluster) };
}

/** Without `retainBackups` its snapshots go with it, as at the vendor. */
export async function deleteCluster(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  await call.services.administration.clusters.delete({ cluster, retainBackups: flag(call.query, 'retainBackups', false), principal: call.principal });
  return { kind: 'none', status: 202 };
}

/** Of every group that the credential may read. */
export async function listAllClusters(call: Call): Promise<Answer> {
  const page = call.page();
  const names = new Map((await readEveryPage((each) => call.services.inventory.organizations(call.principal, each))).map(({ id, name }) => [id, name]));
  const projects = await readEveryPage((each) => call.services.inventory.projects(call.principal, each));
  const byProject = Map.groupBy(await call.services.inventory.visibleClusters(call.principal), ({ project }) => project.id);
  const { items, totalCount } = cutPage(projects, page);
  const results = await Promise.all(items.map(async (project) => {
    const clusters = (byProject.get(project.id) ?? []).map(({ cluster }) => call.services.backupConfigs.get(cluster));
    return presentGroupOfClusters({ project, orgName: names.get(project.orgId) ?? '', clusters: await Promise.all(clusters) });
  }));
  return { kind: 'list', page, totalCount, results };
}

/** Settings of the servers belong to who runs them: none is known here, so none is told. */
export async function getProcessArgs(call: ProjectCall): Promise<Answer> {
  await clusterOf(call);
  return { kind: 'one', body: {} };
}
