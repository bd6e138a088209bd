// Restores: the rules that allow or refuse one, and its way into the queue. Whether the target can take the data is
// the job's preflight; here it is only asked who may restore what to where.
import type { KeyObject } from 'node:crypto';
import type { CatalogStore, CatalogTransaction, NewRestore, SnapshotRecord } from '../catalog/index.ts';
import type { RestoreInstant } from '../domain/instant.ts';
import type { Cluster, Job, Project, Restore, TimeSeriesChoice } from '../domain/records.ts';
import { projectRolesOf, type Principal, type ProjectRole } from '../domain/roles.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId, newId } from '../foundation/ids.ts';
import type { JobQueue } from '../jobs/queue.ts';
import { abandonRestore, type StandsElsewhere } from './abandon-restore.ts';
import type { Continuous, RestoreOutcome, Restores } from './contracts.ts';
import { presentListedRestore, presentRestore, type ShownBy } from './downloads.ts';
import { nameOf } from './principals.ts';
import { checkSelection, isWhole } from './restore-selection.ts';
import { snapshotNotFound } from './snapshots.ts';
import { nameToFind } from './storable.ts';

type CreateRequest = Parameters<Restores['create']>[0];

export interface RestoresOptions {
  readonly catalog: Pick<CatalogStore, 'restores' | 'restorePlans' | 'snapshots' | 'projects' | 'clusters' | 'jobs' | 'leases' | 'fenced' | 'transaction'>;
  readonly queue: JobQueue;
  readonly clock: Clock;
  /** Signs download addresses. */
  readonly key: KeyObject;
  readonly baseUrl: () => string;
  readonly continuous: Pick<Continuous, 'findBase'>;
  readonly defaults: RestoreDefaults;
  readonly standsElsewhere: StandsElsewhere;
}

export interface RestoreDefaults {
  readonly timeSeries: TimeSeriesChoice;
  /** How long replaced collections are kept for an undo; 0: not at all. */
  readonly keepHours: number;
}

/** Any of these in the target project; the owner, managers and admins hold the second by inheritance. */
export const TARGET_ROLES: readonly ProjectRole[] = ['GROUP_OWNER', 'GROUP_BACKUP_RECOVERY_OPERATOR'];

export function createRestores(options: RestoresOptions): Restores {
  const { catalog, queue, clock, key, baseUrl } = options;
  const shownBy = (): ShownBy => ({ now: clock.now(), key, baseUrl });
  const find = async (clusterId: string, id: string): Promise<Restore> => {
    const record = isId(id) ? await catalog.restores.get(id) : null;
    if (record?.clusterId !== clusterId) {
      throw new LeafvaultError('RESTORE_NOT_FOUND', `Reading restore ${id} of cluster ${clusterId} failed: there is none`, { details: { id, clusterId } });
    }
    return presentRestore(record, shownBy());
  };
  return {
    create: (request) => createRestore(options, request),
    async list(clusterId, page) {
      const { items, totalCount } = await catalog.restores.list(clusterId, page);
      const by = shownBy();
      return { items: items.map((each) => presentListedRestore(each, by)), totalCount };
    },
    get: find,
    async undo({ cluster, id, principal, undone }) {
      const restore = await find(cluster.id, id);
      const { targetClusterId, targetProjectId } = restore;
      if (targetProjectId !== null) await requireTargetRole(catalog, targetProjectId, principal);
      return catalog.transaction(async (tx) => {
        // A second request finds the first one: two would take each other back.
        const underWay = await tx.restorePlans.changeUnderWay(id);
        if (underWay?.kind === 'undo') {
          const { undone: wanted } = (await tx.jobs.payload(underWay.jobId)) as { readonly undone?: boolean };
          if (undone !== undefined && wanted !== undefined && wanted !== undone) throw otherUnderWay(restore, undone);
          return requireJob(await tx.jobs.get(underWay.jobId));
        }
        if (targetClusterId === null || underWay !== null || (await tx.restorePlans.keptUntil(id)) === null) throw notUndoable(restore);
        // What was interrupted may have done its swap: which side is live is known once it is ended.
        if (await tx.restorePlans.isOpen(id)) throw notEnded(restore);
        const isNow = isUndone(await tx.restorePlans.load(id));
        if (isNow !== null && undone === isNow) throw undoneAlready(restore, undone);
        const { projectId, clusterId, snapshotId } = restore;
        // Never less than a day: what is put away now is what somebody wanted live a moment ago.
        const keepHours = Math.max(24, options.defaults.keepHours);
        return queue.enqueue(tx, {
          id: newId(clock.now()), kind: 'undo', payload: { restoreId: id, keepHours, undone: undone ?? isNow !== true }, projectId, clusterId, snapshotId, restoreId: id, targetClusterId, requestedBy: nameOf(principal),
        });
      });
    },
    async isUndone(clusterId, id) {
      await find(clusterId, id);
      // A restore that has not begun has no plan either, but nothing kept.
      return isUndone(await catalog.restorePlans.load(id)) ?? ((await catalog.restorePlans.keptUntil(id)) === null ? false : null);
    },
    async letGo({ cluster, id, principal }) {
      const restore = await find(cluster.id, id);
      const { targetClusterId, targetProjectId, projectId, clusterId, snapshotId } = restore;
      if (targetProjectId !== null) await requireTargetRole(catalog, targetProjectId, principal);
      return catalog.transaction(async (tx) => {
        const underWay = await tx.restorePlans.changeUnderWay(id);
        if (underWay?.kind === 'dropKept') return requireJob(await tx.jobs.get(underWay.jobId));
        // What was interrupted is ended first: what is kept may be all that is left of a collection.
        if (targetClusterId === null || underWay !== null || (await tx.restorePlans.keptUntil(id)) === null || (await tx.restorePlans.isOpen(id))) throw nothingKept(restore);
        return queue.enqueue(tx, { id: newId(clock.now()), kind: 'dropKept', payload: { restoreId: id }, projectId, clusterId, snapshotId, restoreId: id, targetClusterId, requestedBy: nameOf(principal) });
      });
    },
    async abandon({ cluster, id, principal }) {
      const { targetProjectId } = await find(cluster.id, id);
      if (targetProjectId !== null) await requireTargetRole(catalog, targetProjectId, principal);
      await abandonRestore(options, { restoreId: id, by: nameOf(principal) });
    },
    async outcome(clusterId, id) {
      await find(clusterId, id);
      const result = (await catalog.restores.result(id)) as Partial<RestoreOutcome> | null;
      return result === null ? null : { collections: result.collections ?? [], movedAside: result.movedAside ?? [], warnings: result.warnings ?? [], leftOut: result.leftOut ?? null };
    },
    async undoableUntil(clusterId, id) {
      await find(clusterId, id);
      return catalog.restorePlans.keptUntil(id);
    },
    async cancel({ cluster, id, principal }) {
      const restore = await find(cluster.id, id);
      // A download that was prepared ends by its address: nobody can begin a transfer any more.
      if (restore.state === 'completed' && restore.download?.state === 'ready') return catalog.restores.endDownload(id);
      if ((await queue.cancel(restore.jobId, nameOf(principal))) !== 'over') return;
      const { state } = await find(cluster.id, id);
      throw new LeafvaultError('RESTORE_NOT_CANCELLABLE', `Cancelling restore ${id} failed: it is already ${state}`, { details: { id, state } });
    },
  };
}

/** @param beside rows that are to be there with it, in the same transaction */
export async function createRestore(
  options: RestoresOptions, request: CreateRequest, beside?: (tx: CatalogTransaction, restore: Pick<Restore, 'id' | 'clusterId'>) => Promise<void>,
): Promise<Restore> {
  const { catalog, queue, clock, key, baseUrl, defaults } = options;
  if (request.leaveOut !== undefined && request.instant === undefined) throw new TypeError('Something can be left out of an instant only');
  const { snapshot, instant } = await beginning(options, request);
  const target = request.delivery === 'automated' ? await findTarget(catalog, request) : null;
  const row = newRestore(request, { snapshot, instant, target }, clock.now());
  const payload = {
    timeSeries: request.timeSeries ?? defaults.timeSeries, keepHours: defaults.keepHours,
    ...(request.leaveOut === undefined ? {} : { leaveOut: request.leaveOut }), ...(request.existing === undefined ? {} : { existing: request.existing }),
  };
  return presentRestore(await catalog.transaction(async (tx) => {
    await enqueueRestore(queue, tx, { row, principal: request.principal, form: request.jobForm, payload });
    const made = await tx.restores.insert(row);
    await beside?.(tx, made);
    return made;
  }), { now: clock.now(), key, baseUrl });
}

function requireJob(job: Job | null): Job {
  if (job === null) throw new TypeError('A job that was there a moment ago is gone');
  return job;
}

function notUndoable({ id, state }: Restore): LeafvaultError {
  return new LeafvaultError('RESTORE_NOT_UNDOABLE', `Undoing restore ${id} failed: nothing is kept that would be put back`, {
    details: { id, state }, hint: 'The setting restore.keepHours says how long replaced collections are kept; restore an earlier snapshot instead',
  });
}

/** By the plan of its restore or newest undo: one that was rolled back changed nothing. Null: a rescue emptied it, and only the target's copy tells. */
function isUndone(plan: Readonly<Record<string, unknown>> | null): boolean | null {
  if (plan === null) return null;
  if (plan.kind !== 'undo') return false;
  const wanted = plan.undone !== false;
  return plan.state === 'finished' ? wanted : !wanted;
}

function otherUnderWay({ id, state }: Restore, undone: boolean): LeafvaultError {
  return new LeafvaultError('RESTORE_NOT_UNDOABLE', `Undoing restore ${id} failed: it is just being swapped to the other side`, { details: { id, state, undone }, hint: 'Wait for that job, then ask again' });
}

function notEnded({ id, state }: Restore): LeafvaultError {
  return new LeafvaultError('RESTORE_NOT_UNDOABLE', `Undoing restore ${id} failed: it, or its undo, was interrupted and is being ended`, {
    details: { id, state }, hint: 'Every worker does that within a minute once the target can be reached; then look at undone, and ask again',
  });
}

function undoneAlready({ id, state }: Restore, undone: boolean): LeafvaultError {
  return new LeafvaultError('RESTORE_NOT_UNDOABLE', `Undoing restore ${id} failed: ${undone ? 'it is undone already' : 'what it restored is live'}`, { details: { id, state, undone } });
}

function nothingKept({ id, state }: Restore): LeafvaultError {
  return new LeafvaultError('RESTORE_NOTHING_KEPT', `Letting go of what restore ${id} keeps failed: it keeps nothing, or is just being undone or ended`, {
    details: { id, state }, hint: 'undoableUntil of the restore tells whether anything is kept',
  });
}

interface Beginning {
  readonly snapshot: SnapshotRecord;
  readonly instant: RestoreInstant | null;
}

/** What is restored: a snapshot, or an instant and the snapshot that it is replayed from. */
async function beginning({ catalog, continuous }: RestoresOptions, { cluster, snapshotId = '', instant, leaveOut }: CreateRequest): Promise<Beginning> {
  if (instant === undefined) return { snapshot: await completeSnapshot(catalog, cluster, snapshotId), instant: null };
  const base = await continuous.findBase(cluster, instant, leaveOut);
  return { snapshot: await completeSnapshot(catalog, cluster, base.snapshot.id), instant: { asked: instant, border: base.border, chainId: base.chainId } };
}

async function completeSnapshot(catalog: Pick<CatalogStore, 'snapshots'>, cluster: Cluster, snapshotId: string): Promise<SnapshotRecord> {
  const snapshot = isId(snapshotId) ? await catalog.snapshots.get(snapshotId) : null;
  if (snapshot === null || snapshot.clusterId !== cluster.id) throw snapshotNotFound(cluster.id, snapshotId);
  if (snapshot.deletedAt !== null) throw snapshotNotFound(cluster.id, snapshotId, { deleted: true });
  if (snapshot.state === 'completed') return snapshot;
  throw new LeafvaultError('SNAPSHOT_NOT_COMPLETE', `Restoring from snapshot ${snapshotId} failed: it is ${snapshot.state}`, {
    details: { id: snapshotId, state: snapshot.state },
    hint: 'Wait until the snapshot is completed, or choose another one',
  });
}

/** The role is asked for before the cluster's name: who may not restore there learns nothing of what is there. */
async function findTarget(catalog: Pick<CatalogStore, 'projects' | 'clusters'>, { target, principal }: CreateRequest): Promise<Cluster> {
  const project = target !== undefined && isId(target.projectId) ? await catalog.projects.get(target.projectId) : null;
  if (target === undefined || project === null || project.deletedAt !== null) throw targetNotFound(target);
  requireRole(principal, project);
  const cluster = 'id' in target.cluster
    ? isId(target.cluster.id) ? await catalog.clusters.get(target.cluster.id) : null
    : await catalog.clusters.byName(project.id, nameToFind(target.cluster.name));
  if (cluster?.projectId !== project.id || cluster.deletedAt !== null) throw targetNotFound(target);
  return cluster;
}

async function requireTargetRole(catalog: Pick<CatalogStore, 'projects'>, projectId: string, principal: Principal): Promise<void> {
  const project = await catalog.projects.get(projectId);
  if (project !== null) requireRole(principal, project);
}

function requireRole(principal: Principal, project: Project): void {
  const held = projectRolesOf(principal, project);
  if (TARGET_ROLES.some((role) => held.has(role))) return;
  throw new LeafvaultError('TARGET_FORBIDDEN', `Restoring into project ${project.id} failed: ${nameOf(principal)} holds no role there that may`, {
    details: { projectId: project.id, roles: TARGET_ROLES },
    hint: `Use a credential with ${TARGET_ROLES.join(' or ')} in that project`,
  });
}

function targetNotFound(target: CreateRequest['target']): LeafvaultError {
  const details = target === undefined ? {} : { projectId: target.projectId, ...target.cluster };
  const words = target === undefined ? 'none was named' : `there is no cluster ${'id' in target.cluster ? target.cluster.id : target.cluster.name} in project ${target.projectId}`;
  return new LeafvaultError('TARGET_NOT_FOUND', `Finding the target of a restore failed: ${words}`, { details });
}

function newRestore(request: CreateRequest, { snapshot, instant, target }: Beginning & { readonly target: Cluster | null }, now: Date): NewRestore {
  const { cluster, delivery, indexStrategy = 'ALL', download } = request;
  const selection = checkSelection(request.selection);
  const id = newId(now);
  return {
    id, delivery, indexStrategy, selection, instant, form: request.form ?? null,
    jobId: newId(now),
    projectId: cluster.projectId, clusterId: cluster.id, clusterName: cluster.name, snapshotId: snapshot.id,
    target: target === null ? null : { projectId: target.projectId, clusterId: target.id, clusterName: target.name },
    usersAndRoles: request.usersAndRoles ?? isWhole(selection),
    download: delivery === 'download' ? { ...DOWNLOAD_DEFAULTS, ...download, fileName: fileNameOf(snapshot, id) } : null,
  };
}

const DOWNLOAD_DEFAULTS = { expirationHours: 1, maxDownloads: null, readyAtOnce: false };

/** As the field names it: replica set, seconds of the snapshot's instant, id of the restore. */
function fileNameOf(snapshot: SnapshotRecord, restoreId: string): string {
  const name = (snapshot.replicaSetName ?? snapshot.clusterName).replace(/[^A-Za-z0-9_-]/g, '_');
  const seconds = snapshot.pointInTime?.t ?? Math.floor((snapshot.capturedAt ?? snapshot.requestedAt).getTime() / 1000);
  return `${name}-${seconds}-${restoreId}.tar.gz`;
}

async function enqueueRestore(
  queue: JobQueue, tx: CatalogTransaction, { row, principal, form, payload }: { readonly row: NewRestore; readonly principal: Principal; readonly form: CreateRequest['jobForm']; readonly payload: RestoreDefaults & Pick<CreateRequest, 'leaveOut' | 'existing'> },
): Promise<void> {
  const request = {
    id: row.jobId, projectId: row.projectId, clusterId: row.clusterId, snapshotId: row.snapshotId, restoreId: row.id, requestedBy: nameOf(principal), form,
  };
  if (row.target === null) await queue.enqueue(tx, { ...request, kind: 'prepareDownload', payload: { restoreId: row.id } });
  else await queue.enqueue(tx, { ...request, kind: 'restore', payload: { restoreId: row.id, ...payload }, targetClusterId: row.target.clusterId });
}
