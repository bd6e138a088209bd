// Our own API: ending an export, which the vendor has no operation for.
import type { Answer } from '../wire/answer.ts';
import type { ProjectCall } from '../wire/mms-routes.ts';
import { readId } from '../wire/read-id.ts';
import { clusterOf } from './cluster-of.ts';

/** What it wrote stays, without `.complete`. */
export async function cancelExport(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  await call.services.exports.cancel({ cluster, id: readId('export', call.params['exportId']), principal: call.principal });
  return { kind: 'none' };
}
