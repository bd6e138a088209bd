// Collection restore jobs of one cluster, the source.
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readId } from '../../read-id.ts';
import { readTimeSeries } from '../../read-time-series.ts';
import { sourceOf } from '../inventory/handlers.ts';
import { parseCreateCollectionRestore, parseFilter } from './parse.ts';
import { presentCollectionRestore, presentRestoredCollection } from './present.ts';

export async function createCollectionRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const order = parseCreateCollectionRestore(call.body);
  const made = await call.services.collectionRestores.create({ ...order, cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers) });
  return { kind: 'one', status: 201, body: presentCollectionRestore(made, call.root) };
}

export async function listCollectionRestores(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const cluster = await sourceOf(call);
  const { items, totalCount } = await call.services.collectionRestores.list(cluster.id, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentCollectionRestore(each, call.root)) };
}

export async function getCollectionRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  return { kind: 'one', body: presentCollectionRestore(await call.services.collectionRestores.get(cluster.id, jobIdOf(call)), call.root) };
}

export async function listRestoredCollections(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const filter = parseFilter(call.query);
  const cluster = await sourceOf(call);
  const { items, totalCount } = await call.services.collectionRestores.collections({ clusterId: cluster.id, id: jobIdOf(call), filter, page });
  return { kind: 'list', page, totalCount, results: items.map(presentRestoredCollection) };
}

export async function getRestoredCollection(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  return { kind: 'one', body: presentRestoredCollection(await call.services.collectionRestores.collection(cluster.id, jobIdOf(call), call.params['sourceNamespace'] ?? '')) };
}

function jobIdOf({ params }: ProjectCall): string {
  return readId('restoreJob', params['jobId']);
}
