// Backup configurations, and snapshots on demand, which Ops Manager alone has in this form.
import type { Answer } from '../../wire/answer.ts';
import type { ProjectCall } from '../../wire/mms-routes.ts';
import { clusterOf } from './handlers.ts';
import { parseChangeBackupConfig, parseRetentionDays } from './parse.ts';
import { presentBackupConfig, presentSnapshotOnDemand } from './present.ts';

export async function listBackupConfigs(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.inventory.clusters(call.project.id, page);
  const configs = await Promise.all(items.map((cluster) => call.services.backupConfigs.get(cluster)));
  return { kind: 'list', page, totalCount, results: configs.map((each) => presentBackupConfig(each, call.root)) };
}

export async function getBackupConfig(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentBackupConfig(await call.services.backupConfigs.get(await clusterOf(call)), call.root) };
}

export async function updateBackupConfig(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const change = parseChangeBackupConfig(call.body, await call.services.backupConfigs.get(cluster));
  return { kind: 'one', body: presentBackupConfig(await call.services.backupConfigs.change({ ...change, cluster, principal: call.principal }), call.root) };
}

/** The body is not looked at: the vendor's is empty. */
export async function createSnapshotOnDemand(call: ProjectCall): Promise<Answer> {
  const retentionDays = parseRetentionDays(call.query);
  const cluster = await clusterOf(call);
  const { snapshot } = await call.services.snapshots.create({ cluster, description: 'On demand', retentionDays, principal: call.principal });
  return { kind: 'one', body: presentSnapshotOnDemand(snapshot) };
}
