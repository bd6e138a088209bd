// Clusters that are registered, changed and ended: a cluster is a connection string under a name.
import type { Answer } from '../../answer.ts';
import type { Call, ProjectCall } from '../../mms-routes.ts';
import { cutPage } from '../../../../domain/cut-page.ts';
import { readEveryPage } from '../../read-every-page.ts';
import { flag } from '../../read-query.ts';
import { clusterOf } from '../inventory/handlers.ts';
import { presentCluster } from '../inventory/present.ts';
import { parseCreateCluster, parseUpdateCluster } from './parse.ts';
import { presentGroupOfClusters } from './present.ts';

/** Answers once the server did: there is nothing to wait for afterwards. */
export async function createCluster(call: ProjectCall): Promise<Answer> {
  const made = await call.services.administration.clusters.register({ project: call.project, ...parseCreateCluster(call) });
  return { kind: 'one', status: 201, body: presentCluster(made, call.version, call.root) };
}

export async function updateCluster(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const { starts, ...change } = parseUpdateCluster(cluster.name, call);
  const changed = await call.services.administration.clusters.change(cluster, change);
  if (starts && changed.backupState !== 'started') {
    const { cluster: started } = await call.services.backupConfigs.change({ cluster: changed, principal: call.principal, state: 'started' });
    return { kind: 'one', body: presentCluster(started, call.version, call.root) };
  }
  return { kind: 'one', body: presentCluster(changed, call.version, call.root) };
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
  const results = items.map((project) => presentGroupOfClusters({ project, orgName: names.get(project.orgId) ?? '', clusters: (byProject.get(project.id) ?? []).map(({ cluster }) => cluster) }));
  return { kind: 'list', page, totalCount, results };
}

/** Settings of the servers belong to who runs them: none is known here, so none is told. */
export async function getProcessArgs(call: ProjectCall): Promise<Answer> {
  await clusterOf(call);
  return { kind: 'one', body: {} };
}
