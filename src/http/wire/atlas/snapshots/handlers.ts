// Cloud backup snapshots of one cluster.
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readId } from '../../read-id.ts';
import { clusterOf, sourceOf } from '../inventory/handlers.ts';
import { parseTakeSnapshot, parseUpdateSnapshot, refusePointInTimeFilters } from './parse.ts';
import { presentAsShardedSnapshot, presentSnapshot } from './present.ts';

export async function takeSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const { snapshot } = await call.services.snapshots.create({ cluster, principal: call.principal, ...parseTakeSnapshot(call.body) });
  return { kind: 'one', body: presentSnapshot(snapshot, call.root) };
}

export async function listSnapshots(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  refusePointInTimeFilters(call.query);
  const cluster = await sourceOf(call);
  const { items, totalCount } = await call.services.snapshots.list(cluster.id, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentSnapshot(each, call.root)) };
}

export async function getSnapshot(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentSnapshot(await snapshotOf(call), call.root) };
}

export async function getShardedSnapshot(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentAsShardedSnapshot(await snapshotOf(call), call.root) };
}

/** No cluster is sharded here. */
export async function listShardedSnapshots(call: ProjectCall): Promise<Answer> {
  await sourceOf(call);
  return { kind: 'list', page: null, totalCount: 0, results: [] };
}

export async function updateSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const snapshot = await snapshotOf(call);
  const expiresAt = parseUpdateSnapshot(call.body, snapshot);
  const updated = await call.services.snapshots.setExpiry({ cluster, id: snapshot.id, expiresAt, principal: call.principal });
  return { kind: 'one', body: presentSnapshot(updated, call.root) };
}

export async function deleteSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  await call.services.snapshots.delete({ cluster, id: readId('snapshot', call.params['snapshotId']), principal: call.principal });
  return { kind: 'none' };
}

async function snapshotOf(call: ProjectCall): ReturnType<ProjectCall['services']['snapshots']['get']> {
  const cluster = await sourceOf(call);
  return call.services.snapshots.get(cluster.id, readId('snapshot', call.params['snapshotId']));
}
