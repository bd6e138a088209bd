// Cloud backup snapshots of one cluster.
import type { Instant } from '../../../../domain/instant.ts';
import type { Cluster, Snapshot } from '../../../../domain/records.ts';
import { isLeafvaultError } from '../../../../foundation/errors.ts';
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { cutPage } from '../../../../domain/cut-page.ts';
import { readId } from '../../read-id.ts';
import { clusterOf, sourceOf } from '../inventory/handlers.ts';
import { parseTakeSnapshot, parseUpdateSnapshot, parsePointInTimeFilter } from './parse.ts';
import { presentAsShardedSnapshot, presentSnapshot } from './present.ts';

export async function takeSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const { snapshot } = await call.services.snapshots.create({ cluster, principal: call.principal, ...parseTakeSnapshot(call.body) });
  return { kind: 'one', body: presentSnapshot(snapshot, call.root) };
}

export async function listSnapshots(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const instant = parsePointInTimeFilter(call.query);
  const cluster = await sourceOf(call);
  const { items, totalCount } = instant === null
    ? await call.services.snapshots.list(cluster.id, page)
    : cutPage(await snapshotsFor(call, cluster, instant), page);
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

/** What a restore to that point in time begins with; nothing where it can't be restored. */
async function snapshotsFor({ services }: ProjectCall, cluster: Cluster, instant: Instant): Promise<readonly Snapshot[]> {
  try {
    return [(await services.continuous.findBase(cluster, instant)).snapshot];
  } catch (error) {
    if (isLeafvaultError(error) && UNRESTORABLE.includes(error.code)) return [];
    throw error;
  }
}

const UNRESTORABLE: readonly string[] = ['CONTINUOUS_NO_WINDOW', 'CONTINUOUS_IN_FUTURE', 'CONTINUOUS_NOT_YET', 'CONTINUOUS_IN_GAP', 'CONTINUOUS_OUTSIDE_WINDOW'];

async function snapshotOf(call: ProjectCall): ReturnType<ProjectCall['services']['snapshots']['get']> {
  const cluster = await sourceOf(call);
  return call.services.snapshots.get(cluster.id, readId('snapshot', call.params['snapshotId']));
}
