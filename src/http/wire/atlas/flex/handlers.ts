// The flex view. No cluster is flex, and clients ask here first: all that reads is refused with the code on which they go on to the
// dedicated endpoints. What is asked for in this form is done, and read again in it.
import { isLeafvaultError } from '../../../../foundation/errors.ts';
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readTimeSeries } from '../../read-time-series.ts';
import { withAddressFor } from '../../with-address.ts';
import { refuseFlex, sourceOf } from '../inventory/handlers.ts';
import { parseFlexDownload, parseFlexRestore } from './parse.ts';
import { presentFlexRestore } from './present.ts';

export async function createFlexRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const restore = await call.services.restores.create({ ...parseFlexRestore(call.body, cluster), cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers), form: 'flex' });
  return { kind: 'one', body: presentFlexRestore(restore) };
}

/** The address is there at once: the Atlas CLI's download of a snapshot asks for nothing else. */
export async function downloadFlexSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const restore = await call.services.restores.create({ ...parseFlexDownload(call.body), cluster, principal: call.principal, form: 'flex' });
  return { kind: 'one', body: presentFlexRestore(restore) };
}

/** @throws NOT_FLEX for a job that was asked for in another form */
export async function getFlexRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const restore = await call.services.restores.get(cluster.id, call.params['restoreJobId'] ?? '').catch((error: unknown) => {
    // A client that only asks whether the cluster is flex is told so, whatever it asked for.
    if (isLeafvaultError(error, 'RESTORE_NOT_FOUND')) return null;
    throw error;
  });
  return restore?.form === 'flex' ? { kind: 'one', body: presentFlexRestore(withAddressFor(call, restore)) } : refuseFlex(call);
}
