// The serverless view of the same snapshots and restore jobs. No cluster is a serverless instance, so none is listed as one;
// the backups of every cluster are answered.
import type { Snapshot } from '../../../../domain/records.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readId } from '../../read-id.ts';
import { readTimeSeries } from '../../read-time-series.ts';
import { clusterOf, sourceOf } from '../inventory/handlers.ts';
import { parseCreateRestoreJob } from '../restore-jobs/parse.ts';
import { presentServerlessRestoreJob, presentServerlessSnapshot } from './present.ts';
import { createServerlessRestoreJobBody } from './schemas.ts';

export async function listInstances(call: ProjectCall): Promise<Answer> {
  return { kind: 'list', page: call.page(), totalCount: 0, results: [] };
}

/** @throws NOT_SERVERLESS, CLUSTER_NOT_FOUND: the codes by which clients tell the kinds apart */
export async function refuseInstance(call: ProjectCall): Promise<Answer> {
  const { name } = await clusterOf(call);
  throw new LeafvaultError('NOT_SERVERLESS', `Reading a serverless instance failed: ${name} is a cluster`, { details: { clusterName: name } });
}

export async function listServerlessSnapshots(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const cluster = await sourceOf(call);
  const { items, totalCount } = await call.services.snapshots.list(cluster.id, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentServerlessSnapshot(each, call.root)) };
}

export async function getServerlessSnapshot(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentServerlessSnapshot(await snapshotOf(call), call.root) };
}

export async function createServerlessRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const order = parseCreateRestoreJob(call.body, createServerlessRestoreJobBody);
  const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers) });
  return { kind: 'one', body: presentServerlessRestoreJob(restore, call.root) };
}

export async function listServerlessRestoreJobs(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const cluster = await sourceOf(call);
  const { items, totalCount } = await call.services.restores.list(cluster.id, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentServerlessRestoreJob(each, call.root)) };
}

export async function getServerlessRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const restore = await call.services.restores.get(cluster.id, readId('restoreJob', call.params['restoreJobId']));
  return { kind: 'one', body: presentServerlessRestoreJob(restore, call.root) };
}

async function snapshotOf(call: ProjectCall): Promise<Snapshot> {
  const cluster = await sourceOf(call);
  return call.services.snapshots.get(cluster.id, readId('snapshot', call.params['snapshotId']));
}
