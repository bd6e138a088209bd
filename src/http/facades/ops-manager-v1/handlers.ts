// What each Ops Manager path asks of the services.
import type { Cluster, ListedRestore, Page, PageOf, Project, Snapshot } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { ClusterSchedule } from '../../../services/contracts.ts';
import type { Answer } from '../../wire/answer.ts';
import { findProjectByName } from '../../wire/find-project.ts';
import type { Call, ProjectCall } from '../../wire/mms-routes.ts';
import { cutPage } from '../../../domain/cut-page.ts';
import { readEveryPage } from '../../wire/read-every-page.ts';
import { readId } from '../../wire/read-id.ts';
import { thereOrKept } from '../../wire/there-or-kept.ts';
import { createMmsBackupHandlers } from '../../wire/mms-backup/handlers.ts';
import { presentRange, presentRestoreJob, presentSnapshot } from '../../wire/mms-backup/present.ts';
import { presentSchedule } from '../../wire/mms-backup/present-schedule.ts';
import { placeAt, presentCluster, presentFilterList, presentGroup } from './present.ts';

export const {
  createRestoreJob, listRestoreJobs, getRestoreJob, listSnapshots, getSnapshot, updateSnapshot, deleteSnapshot, getSchedule, updateSchedule, listCheckpoints, getCheckpoint,
} = createMmsBackupHandlers({ clusterOf, sourceOf, showRestoreJob, showSnapshot, showSchedule, zero: 'unchanged', checkpoints: 'refused' });

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

/** @throws ID_MALFORMED, CLUSTER_NOT_FOUND */
export function clusterOf(call: ProjectCall): Promise<Cluster> {
  return call.services.inventory.clusterById(call.project.id, readId('cluster', call.params['clusterId']));
}

function sourceOf(call: ProjectCall): Promise<Cluster> {
  return thereOrKept(clusterOf(call), () => call.services.administration.clusters.keptById(call.project.id, call.params['clusterId'] ?? ''));
}

/** With the members that Atlas's legacy form lacks. */
function showRestoreJob(restore: ListedRestore, root: string): object {
  return { ...presentRestoreJob(restore, placeAt(root)), pointInTime: restore.instant !== null };
}

function showSnapshot(snapshot: Snapshot, root: string): object {
  return {
    ...presentSnapshot(snapshot, placeAt(root)),
    isPossiblyInconsistent: snapshot.consistency === 'fuzzy',
    missingShards: [],
    namespaceFilterList: presentFilterList(snapshot),
  };
}

function showSchedule(schedule: ClusterSchedule, cluster: Cluster, root: string): object {
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
