// What each Ops Manager path asks of the services.
import type { Cluster, Page, PageOf, Project, Restore, Snapshot } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { ClusterSchedule } from '../../../services/contracts.ts';
import type { Answer } from '../../wire/answer.ts';
import { findProjectByName } from '../../wire/find-project.ts';
import type { Call, ProjectCall } from '../../wire/mms-routes.ts';
import { cutPage, readEveryPage } from '../../wire/read-every-page.ts';
import { readId } from '../../wire/read-id.ts';
import { readTimeSeries } from '../../wire/read-time-series.ts';
import { asksForBatch, parseCompleted, parseCreateRestoreJob, parseUpdateSnapshot } from '../../wire/mms-backup/parse.ts';
import { presentRange, presentRestoreJob, presentSnapshot } from '../../wire/mms-backup/present.ts';
import { parseChangeSchedule } from '../../wire/mms-backup/parse-schedule.ts';
import { presentSchedule } from '../../wire/mms-backup/present-schedule.ts';
import { placeAt, presentCluster, presentGroup } from './present.ts';

/** Answers a list of the one job, as the vendor does: a sharded cluster would have one for each shard. */
export async function createRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const order = parseCreateRestoreJob(call.body, cluster, call.clock.now());
  const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers) });
  return { kind: 'list', page: null, totalCount: 1, results: [shownRestoreJob(restore, call.root)] };
}

/** A bare array, as the vendor answers; empty without continuous backup. */
export async function listRestorableTimeRanges(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const { windows } = await call.services.continuous.status(cluster);
  const ranges = windows.map(async ({ from, to }) => {
    const { snapshot } = await call.services.continuous.findBase(cluster, { border: from });
    return presentRange({ from, to, snapshotId: snapshot.id });
  });
  return { kind: 'one', body: await Promise.all(ranges) };
}

export async function listRestoreJobs(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const cluster = await clusterOf(call);
  if (asksForBatch(call.query)) return { kind: 'list', page, totalCount: 0, results: [] };
  const { items, totalCount } = await call.services.restores.list(cluster.id, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => shownRestoreJob(each, call.root)) };
}

export async function getRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const restore = await call.services.restores.get(cluster.id, readId('restoreJob', call.params['jobId']));
  return { kind: 'one', body: shownRestoreJob(restore, call.root) };
}

export async function listSnapshots(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const which = parseCompleted(call.query);
  const cluster = await clusterOf(call);
  const { items, totalCount } = await call.services.snapshots.list(cluster.id, page, { completedOnly: which === 'whole', unfinishedOnly: which === 'partial' });
  return { kind: 'list', page, totalCount, results: items.map((each) => shownSnapshot(each, call.root)) };
}

export async function getSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  return { kind: 'one', body: shownSnapshot(await snapshotOf(call, cluster), call.root) };
}

export async function updateSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const snapshot = await snapshotOf(call, cluster);
  const change = parseUpdateSnapshot(call.body, snapshot, call.clock.now());
  if ('expiresAt' in change) {
    const updated = await call.services.snapshots.setExpiry({ cluster, id: snapshot.id, expiresAt: change.expiresAt, principal: call.principal });
    return { kind: 'one', body: shownSnapshot(updated, call.root) };
  }
  await call.services.snapshots.delete({ cluster, id: snapshot.id, principal: call.principal });
  return { kind: 'one', body: shownSnapshot({ ...snapshot, expiresAt: call.clock.now() }, call.root) };
}

export async function deleteSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  await call.services.snapshots.delete({ cluster, id: readId('snapshot', call.params['snapshotId']), principal: call.principal });
  return { kind: 'none' };
}

export async function getSchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  return { kind: 'one', body: shownSchedule(await call.services.schedules.get(cluster), cluster, call.root) };
}

export async function updateSchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const change = parseChangeSchedule(call.body, cluster, { zero: 'unchanged' });
  return { kind: 'one', body: shownSchedule(await call.services.schedules.change({ cluster, principal: call.principal, change }), cluster, call.root) };
}

/** The vendor keeps none either for clusters of today: an empty list is the truth. */
export async function listCheckpoints(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  await clusterOf(call);
  return { kind: 'list', page, totalCount: 0, results: [] };
}

/** @throws CHECKPOINT_NOT_FOUND always */
export async function getCheckpoint(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const id = readId('checkpoint', call.params['checkpointId']);
  throw new LeafvaultError('CHECKPOINT_NOT_FOUND', `Reading checkpoint ${id} failed: there are none`, { details: { id, clusterId: cluster.id } });
}

export async function listClusters(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.inventory.clusters(call.project.id, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentCluster(each, call.root)) };
}

export async function getCluster(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentCluster(await clusterOf(call), call.root) };
}

export async function listGroups(call: Call): Promise<Answer> {
  const page = call.page();
  return presentGroups(call, page, await call.services.inventory.projects(call.principal, page));
}

export async function listOrganizationGroups(call: Call): Promise<Answer> {
  const page = call.page();
  const orgId = readId('organization', call.params['orgId']);
  const visible = await readEveryPage((each) => call.services.inventory.organizations(call.principal, each));
  if (!visible.some(({ id }) => id === orgId)) throw new LeafvaultError('ORGANIZATION_NOT_FOUND', `Reading organization ${orgId} failed: it is not visible`, { details: { id: orgId } });
  const all = await readEveryPage((each) => call.services.inventory.projects(call.principal, each));
  return presentGroups(call, page, cutPage(all.filter((each) => each.orgId === orgId), page));
}

export async function getGroup(call: ProjectCall): Promise<Answer> {
  const clusters = await readEveryPage((page) => call.services.inventory.clusters(call.project.id, page));
  return { kind: 'one', body: presentGroup(call.project, clusters, call.root) };
}

export async function getGroupByName(call: Call): Promise<Answer> {
  return getGroup({ ...call, project: await findProjectByName(call, call.params['groupName'] ?? '') });
}

async function presentGroups(call: Call, page: Page, { items, totalCount }: PageOf<Project>): Promise<Answer> {
  const visible = await call.services.inventory.visibleClusters(call.principal);
  const clustersOf = (id: string): readonly Cluster[] => visible.filter(({ project }) => project.id === id).map(({ cluster }) => cluster);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentGroup(each, clustersOf(each.id), call.root)) };
}

function clusterOf(call: ProjectCall): Promise<Cluster> {
  return call.services.inventory.clusterById(call.project.id, readId('cluster', call.params['clusterId']));
}

function snapshotOf(call: ProjectCall, cluster: Cluster): Promise<Snapshot> {
  return call.services.snapshots.get(cluster.id, readId('snapshot', call.params['snapshotId']));
}

/** With the members that Atlas's legacy form lacks. */
function shownRestoreJob(restore: Restore, root: string): object {
  return { ...presentRestoreJob(restore, placeAt(root)), pointInTime: restore.instant !== null };
}

function shownSnapshot(snapshot: Snapshot, root: string): object {
  return {
    ...presentSnapshot(snapshot, placeAt(root)),
    isPossiblyInconsistent: snapshot.consistency === 'fuzzy',
    missingShards: [],
    namespaceFilterList: { filterList: [], filterType: 'blacklist' },
  };
}

function shownSchedule(schedule: ClusterSchedule, cluster: Cluster, root: string): object {
  const group = `${root}/groups/${cluster.projectId}`;
  return {
    ...presentSchedule(schedule, cluster),
    links: [
      { rel: 'self', href: `${group}/backupConfigs/${cluster.id}/snapshotSchedule` },
      { rel: 'http://mms.mongodb.com/cluster', href: `${group}/clusters/${cluster.id}` },
      { rel: 'http://mms.mongodb.com/group', href: group },
    ],
    referenceHourOfDay: schedule.referenceHour,
    referenceMinuteOfHour: schedule.referenceMinute,
    referenceTimeZoneOffset: '+0000',
  };
}
