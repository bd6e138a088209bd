// Restore jobs of one cluster, the source.
import { isLeafvaultError } from '../../../../foundation/errors.ts';
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readId } from '../../read-id.ts';
import { sourceOf } from '../inventory/handlers.ts';
import { readTimeSeries } from '../../read-time-series.ts';
import { parseCreateRestoreJob } from './parse.ts';
import { presentRestoreJob } from './present.ts';

export async function createRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const order = parseCreateRestoreJob(call.body);
  const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers) });
  return { kind: 'one', body: presentRestoreJob(restore, call.root) };
}

export async function listRestoreJobs(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const cluster = await sourceOf(call);
  const { items, totalCount } = await call.services.restores.list(cluster.id, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentRestoreJob(each, call.root)) };
}

export async function getRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const restore = await call.services.restores.get(cluster.id, readId('restoreJob', call.params['restoreJobId']));
  return { kind: 'one', body: presentRestoreJob(restore, call.root) };
}

/**
 * Cancels a job. A download that is over leaves nothing to cancel and answers as if it had: the Terraform provider
 * deletes every download job that way, whatever became of it.
 */
export async function cancelRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const id = readId('restoreJob', call.params['restoreJobId']);
  try {
    await call.services.restores.cancel({ cluster, id, principal: call.principal });
  } catch (error) {
    const isOver = isLeafvaultError(error, 'RESTORE_NOT_CANCELLABLE');
    if (!isOver || (await call.services.restores.get(cluster.id, id)).delivery !== 'download') throw error;
  }
  return { kind: 'none' };
}
