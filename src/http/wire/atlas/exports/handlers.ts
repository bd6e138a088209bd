// Export buckets of a project and export jobs of a cluster.
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readId } from '../../read-id.ts';
import { sourceOf } from '../inventory/handlers.ts';
import { parseCreateBucket, parseCreateExport, parseUpdateBucket } from './parse.ts';
import { presentBucket, presentExport } from './present.ts';

export async function createBucket({ services, project, principal, body }: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentBucket(await services.exportBuckets.create({ ...parseCreateBucket(body), project, principal })) };
}

export async function listBuckets(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.exportBuckets.list(call.project.id, page);
  return { kind: 'list', page, totalCount, results: items.map(presentBucket) };
}

export async function getBucket({ services, project, params }: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentBucket(await services.exportBuckets.get(project.id, readId('exportBucket', params['exportBucketId']))) };
}

/** The one thing that may be changed has one value here. */
export async function updateBucket({ services, project, params, body }: ProjectCall): Promise<Answer> {
  const bucket = await services.exportBuckets.get(project.id, readId('exportBucket', params['exportBucketId']));
  parseUpdateBucket(body);
  return { kind: 'one', body: presentBucket(bucket) };
}

export async function deleteBucket({ services, project, principal, params }: ProjectCall): Promise<Answer> {
  await services.exportBuckets.delete({ project, principal, id: readId('exportBucket', params['exportBucketId']) });
  return { kind: 'none' };
}

export async function createExport(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const { services, project, principal } = call;
  return { kind: 'one', body: presentExport(await services.exports.create({ ...parseCreateExport(call.body), cluster, project, principal })) };
}

export async function listExports(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const cluster = await sourceOf(call);
  const { items, totalCount } = await call.services.exports.list(cluster.id, page);
  return { kind: 'list', page, totalCount, results: items.map(presentExport) };
}

export async function getExport(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  return { kind: 'one', body: presentExport(await call.services.exports.get(cluster.id, readId('export', call.params['exportId']))) };
}
