// The shared-tier view of the same snapshots and restores. Its lists are not paged.
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readEveryPage } from '../../read-every-page.ts';
import { readId } from '../../read-id.ts';
import { clusterOf } from '../inventory/handlers.ts';
import { readTimeSeries } from '../../read-time-series.ts';
import { parseTenantDownload, parseTenantRestore } from './parse.ts';
import { presentTenantRestore, presentTenantSnapshot } from './present.ts';

export async function createTenantRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const order = parseTenantRestore(call.body, cluster);
  const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers) });
  return { kind: 'one', body: presentTenantRestore(restore, call.root) };
}

export async function downloadTenantSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const { order, target } = parseTenantDownload(call.body, cluster);
  const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal });
  return { kind: 'one', body: presentTenantRestore(restore, call.root, target) };
}

export async function listTenantRestores(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const all = await readEveryPage((page) => call.services.restores.list(cluster.id, page));
  return { kind: 'list', page: null, totalCount: all.length, results: all.map((each) => presentTenantRestore(each, call.root)) };
}

export async function getTenantRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const restore = await call.services.restores.get(cluster.id, readId('restoreJob', call.params['restoreId']));
  return { kind: 'one', body: presentTenantRestore(restore, call.root) };
}

export async function listTenantSnapshots(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const all = await readEveryPage((page) => call.services.snapshots.list(cluster.id, page));
  return { kind: 'list', page: null, totalCount: all.length, results: all.map((each) => presentTenantSnapshot(each, call.root)) };
}

export async function getTenantSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const snapshot = await call.services.snapshots.get(cluster.id, readId('snapshot', call.params['snapshotId']));
  return { kind: 'one', body: presentTenantSnapshot(snapshot, call.root) };
}
