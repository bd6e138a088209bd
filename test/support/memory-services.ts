// All services in memory, for fast tests of the doors: the rules that doors rely on, no catalog, no queue, no engine.
// Jobs stand still until a test moves them.
import type { ClusterTime } from '../../src/domain/cluster-time.ts';
import { borderOf, holds } from '../../src/domain/instant.ts';
import type { Cluster, Job, Organization, Page, PageOf, Project, Restore, Snapshot } from '../../src/domain/records.ts';
import { projectRolesOf, type Principal, type RoleGrant } from '../../src/domain/roles.ts';
import type { Clock } from '../../src/foundation/clock.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { Services, SnapshotNamespace } from '../../src/services/contracts.ts';
import { auditInMemory } from './services-in-memory.ts';
import { administrationInMemory } from './administration-in-memory.ts';
import { backupsInMemory } from './backups-in-memory.ts';
import { drillsInMemory } from './drills-in-memory.ts';
import { schedulesInMemory } from './schedules-in-memory.ts';
import { subclientsInMemory, type SubclientsInMemory } from './subclients-in-memory.ts';
import { identityInMemory, type InMemoryIdentity } from './identity-in-memory.ts';

export const ORG_ID = '5f0000000000000000000001';
export const SHOP_ID = '5f0000000000000000000003';
export const OTHER_ID = '5f000000000000000000000a';
export const ORDERS_ID = '5f0000000000000000000004';
export const COPY_ID = '5f0000000000000000000005';
export const VAULT_ID = '5f000000000000000000000b';

export interface AuditEvent { readonly action: string; readonly principal: Principal | null; readonly object: string | null; readonly address: string }

export interface MemoryWorld {
  readonly services: Services;
  readonly identity: InMemoryIdentity;
  readonly audit: AuditEvent[];
  readonly snapshots: Map<string, Snapshot>;
  readonly restores: Map<string, Restore>;
  readonly jobs: Map<string, Job>;
  /** By name in lower case, of whatever cluster. */
  readonly subclients: SubclientsInMemory['chosen'];
  /** What can be restored of any cluster between snapshots. */
  window: { readonly chainId: string; readonly from: ClusterTime; readonly to: ClusterTime; readonly snapshotId: string } | null;
  /** What is in whatever snapshot. */
  readonly held: SnapshotNamespace[];
  /** What the last `snapshots.create` was asked to choose. */
  lastSelection: unknown;
  /** An API key and a bearer token with these grants; gives the token. */
  grant(name: string, grants: readonly RoleGrant[], accessList?: readonly string[]): Promise<string>;
  startJob(id: string, phase: string): void;
  completeSnapshot(id: string): Snapshot;
  endJob(id: string, state: 'completed' | 'failed' | 'cancelled', message?: string): void;
  changeRestore(id: string, change: Partial<Restore>): Restore;
}

export function memoryServices(clock: Clock, baseUrl: () => string): MemoryWorld {
  const identity = identityInMemory();
  const principals = new Map<string, Principal>();
  const state = {
    organizations: [{ id: ORG_ID, name: 'Example', createdAt: clock.now() }] satisfies Organization[],
    projects: [
      { id: SHOP_ID, orgId: ORG_ID, name: 'shop', createdAt: clock.now(), tags: [], deletedAt: null },
      { id: OTHER_ID, orgId: ORG_ID, name: 'other', createdAt: clock.now(), tags: [], deletedAt: null },
    ] satisfies Project[],
    clusters: [cluster(ORDERS_ID, SHOP_ID, 'orders', clock), cluster(COPY_ID, SHOP_ID, 'copy', clock), cluster(VAULT_ID, OTHER_ID, 'vault', clock)],
    snapshots: new Map<string, Snapshot>(),
    restores: new Map<string, Restore>(),
    jobs: new Map<string, Job>(),
    numbers: new Map<string, number>(),
  };
  const subclients = subclientsInMemory();
  let serial = 0;
  const nextId = (): string => (0x660000000000 + ++serial).toString(16).padStart(24, '0');
  const number = (key: string): number => {
    if (!state.numbers.has(key)) state.numbers.set(key, state.numbers.size + 2);
    return state.numbers.get(key) ?? 0;
  };
  const newJob = (job: Pick<Job, 'kind' | 'projectId' | 'clusterId' | 'snapshotId' | 'restoreId'> & { readonly form?: Job['form'] | undefined }, principal: Principal): Job => {
    const id = nextId();
    const made: Job = {
      ...job, form: job.form ?? null, id, state: 'queued', createdAt: clock.now(), startedAt: null, finishedAt: null, cancelRequestedAt: null, pausedAt: null, phase: null, documentsDone: 0,
      documentsTotal: null, bytesDone: 0, bytesTotal: null, bytesPerSecond: null, etaSeconds: null, namespace: null, storedBytes: null, attempt: 1, errorCode: null,
      errorMessage: null, errorHint: null, warnings: [], requestedBy: `${principal.kind} ${principal.name}`, number: number(`job ${id}`),
    };
    state.jobs.set(id, made);
    return made;
  };
  const change = <T>(map: Map<string, T>, id: string, news: Partial<T>): T => {
    const old = map.get(id);
    if (old === undefined) throw new Error(`Nothing is there under ${id}`);
    const made = { ...old, ...news };
    map.set(id, made);
    return made;
  };
  const snapshotOf = (clusterId: string, id: string): Snapshot => {
    const found = state.snapshots.get(id);
    if (found === undefined || found.clusterId !== clusterId || found.deletedAt !== null) throw missing('SNAPSHOT_NOT_FOUND', { id, clusterId });
    return found;
  };
  const restorePointOf = (clusterId: string, id: string): Snapshot => {
    if (state.snapshots.get(id)?.clusterId === clusterId && state.snapshots.get(id)?.deletedAt !== null) throw missing('SNAPSHOT_NOT_FOUND', { id, clusterId, deleted: true });
    return snapshotOf(clusterId, id);
  };
  const restoreOf = (clusterId: string, id: string): Restore => {
    const found = state.restores.get(id);
    if (found === undefined || found.clusterId !== clusterId) throw missing('RESTORE_NOT_FOUND', { id, clusterId });
    return found;
  };
  const visibleProjects = (principal: Principal): Project[] => state.projects.filter((each) => projectRolesOf(principal, each).size > 0);
  const endJob: MemoryWorld['endJob'] = (id, end, message) => {
    const now = clock.now();
    const job = change(state.jobs, id, { state: end, finishedAt: now, startedAt: state.jobs.get(id)?.startedAt ?? now, errorMessage: message ?? null });
    const { restoreId, snapshotId } = job;
    if (restoreId !== null) change(state.restores, restoreId, { state: end, finishedAt: now });
    if (job.kind === 'snapshot' && snapshotId !== null) change(state.snapshots, snapshotId, { state: end, finishedAt: now });
  };
  const isFormOf = (jobId: string, { id, isDefault }: { readonly id: string; readonly isDefault: boolean }): boolean => (state.jobs.get(jobId)?.form?.['subclientId'] ?? (isDefault ? id : null)) === id;
  const audit: AuditEvent[] = [];
  const world: MemoryWorld = {
    identity,
    audit,
    snapshots: state.snapshots,
    restores: state.restores,
    jobs: state.jobs,
    subclients: subclients.chosen,
    window: null,
    held: [],
    lastSelection: undefined,
    async grant(name, grants, accessList = []) {
      const principal: Principal = { kind: 'apiKey', id: nextId(), name, orgId: ORG_ID, grants };
      principals.set(name, principal);
      identity.keys.set(name, { privateKey: `private-of-${name}`, accessList });
      const { token } = await identity.issueBearer(principal);
      identity.bearers.set(token, { principal, accessList });
      return token;
    },
    startJob(id, phase) {
      const job = change(state.jobs, id, { state: 'running', startedAt: clock.now(), phase });
      if (job.kind === 'snapshot' && job.snapshotId !== null) change(state.snapshots, job.snapshotId, { state: 'inProgress', startedAt: clock.now(), mongodbVersion: '6.0.5' });
      if (job.restoreId !== null) change(state.restores, job.restoreId, { state: 'running', startedAt: clock.now() });
    },
    completeSnapshot(id) {
      const now = clock.now();
      const { jobId, retentionDays } = change(state.snapshots, id, {
        startedAt: now, capturedAt: now, pointInTime: { t: Math.floor(now.getTime() / 1000), i: 7 }, mongodbVersion: '6.0.5', replicaSetName: 'rs0',
        consistency: 'point-in-time', documents: 1000, dataSizeBytes: 1_000_000, storageSizeBytes: 250_000,
      });
      endJob(jobId, 'completed');
      change(state.jobs, jobId, { storedBytes: 250_000 });
      return change(state.snapshots, id, { expiresAt: new Date(now.getTime() + retentionDays * 86_400_000) });
    },
    endJob,
    changeRestore: (id, news) => change(state.restores, id, news),
    services: {
      identity: {
        ...identity,
        async apiKey(publicKey) {
          const known = await identity.apiKey(publicKey);
          const principal = principals.get(publicKey);
          return known === null || principal === undefined ? known : { ...known, principal };
        },
      },
      audit: auditInMemory(audit),
      continuous: {
        status: () => Promise.resolve({
          state: world.window === null ? 'off' : 'running', cause: null, warning: null, recoveryPoint: world.window?.to ?? null, lagSeconds: null, headroomSeconds: null, member: null,
          windows: world.window === null ? [] : [{ ...world.window, end: null }], gaps: [],
        }),
        async findBase({ name, id }, instant) {
          const { window } = world;
          if (window === null) throw new LeafvaultError('CONTINUOUS_NO_WINDOW', `Finding a base of cluster ${name} failed`, { details: { state: 'off' } });
          const border = borderOf(instant);
          if (!holds(window, border)) throw missing('CONTINUOUS_NOT_YET', { before: { border: window.to, time: new Date(window.to.t * 1000) }, after: null });
          return { snapshot: snapshotOf(id, window.snapshotId), chainId: window.chainId, border };
        },
      },
      timeline: {
        read: ({ name }) => Promise.reject(missing('TIMELINE_EMPTY', { name })),
        find: ({ name }) => Promise.reject(missing('TIMELINE_EMPTY', { name })),
      },
      inventory: {
        organizations: async (principal, page) => cut(state.organizations.filter(({ id }) => principal.orgId === id), page),
        projects: async (principal, page) => cut(visibleProjects(principal), page),
        async project(id) {
          const found = state.projects.find((each) => each.id === id);
          if (found === undefined) throw missing('PROJECT_NOT_FOUND', { id });
          return found;
        },
        async clusterByName(projectId, name) {
          const found = state.clusters.find((each) => each.projectId === projectId && each.name === name);
          if (found === undefined) throw missing('CLUSTER_NOT_FOUND', { projectId, name });
          return found;
        },
        async clusterById(projectId, id) {
          const found = state.clusters.find((each) => each.projectId === projectId && each.id === id);
          if (found === undefined) throw missing('CLUSTER_NOT_FOUND', { projectId, id });
          return found;
        },
        clusters: async (projectId, page) => cut(state.clusters.filter((each) => each.projectId === projectId), page),
        async visibleClusters(principal) {
          return visibleProjects(principal).flatMap((project) => state.clusters.filter((each) => each.projectId === project.id).map((each) => ({ project, cluster: each })));
        },
      },
      snapshots: {
        async create({ cluster: of, description, retentionDays, principal, selection, jobForm }) {
          world.lastSelection = selection;
          const id = nextId();
          const job = newJob({ kind: 'snapshot', projectId: of.projectId, clusterId: of.id, snapshotId: id, restoreId: null, form: jobForm }, principal);
          const snapshot: Snapshot = {
            id, projectId: of.projectId, clusterId: of.id, clusterName: of.name, state: 'queued', type: 'onDemand', description, retentionDays,
            requestedAt: clock.now(), startedAt: null, pointInTime: null, capturedAt: null, finishedAt: null,
            expiresAt: new Date(clock.now().getTime() + retentionDays * 86_400_000), mongodbVersion: null, replicaSetName: null, consistency: null,
            documents: null, dataSizeBytes: null, storageSizeBytes: null, jobId: job.id, deletedAt: null, policyItems: null, pin: null, hold: null,
          };
          state.snapshots.set(id, snapshot);
          return { snapshot, job };
        },
        async list(clusterId, page, filter) {
          const found = [...state.snapshots.values()].filter((each) => each.clusterId === clusterId && each.deletedAt === null);
          return cut(found.filter((each) => (filter?.completedOnly !== true || each.state === 'completed') && (filter?.unfinishedOnly !== true || each.state !== 'completed')).reverse(), page);
        },
        get: async (clusterId, id) => snapshotOf(clusterId, id),
        async newestOf({ id, clusterId, isDefault }, notAfter = null) {
          const found = [...state.snapshots.values()].findLast(({ clusterId: of, state: at, capturedAt, jobId }) =>
            of === clusterId && at === 'completed' && (notAfter === null || (capturedAt !== null && capturedAt <= notAfter)) && isFormOf(jobId, { id, isDefault }));
          if (found === undefined) throw missing('SNAPSHOT_NOT_FOUND', { id: 'newest', clusterId });
          return found;
        },
        isOf: (subclient, id) => Promise.resolve(isFormOf(state.snapshots.get(id)?.jobId ?? '', subclient)),
        async delete({ cluster: of, id }) {
          snapshotOf(of.id, id);
          change(state.snapshots, id, { deletedAt: clock.now() });
        },
        async setExpiry({ cluster: of, id, expiresAt }) {
          const snapshot = snapshotOf(of.id, id);
          if (expiresAt <= (snapshot.capturedAt ?? snapshot.requestedAt)) throw missing('EXPIRY_INVALID', { expiresAt });
          return change(state.snapshots, id, { expiresAt });
        },
        async keep({ cluster: of, id, kind, reason, principal }) {
          snapshotOf(of.id, id);
          return change(state.snapshots, id, { [kind]: { by: principal.name, reason, at: clock.now().toISOString() } });
        },
        async letGo({ cluster: of, id, kind }) {
          snapshotOf(of.id, id);
          return change(state.snapshots, id, { [kind]: null });
        },
      },
      schedules: schedulesInMemory(clock),
      ...backupsInMemory(state.clusters, clock),
      exportBuckets: {
        create: () => Promise.reject(missing('EXPORT_BUCKET_UNREACHABLE', { name: 'b', reason: 'in memory' })),
        list: (_id, page) => Promise.resolve(cut([], page)),
        get: (_id, id) => Promise.reject(missing('EXPORT_BUCKET_NOT_FOUND', { id })),
        delete: ({ id }) => Promise.reject(missing('EXPORT_BUCKET_NOT_FOUND', { id })),
      },
      exports: {
        create: ({ bucketId: id }) => Promise.reject(missing('EXPORT_BUCKET_NOT_FOUND', { id })),
        list: (_id, page) => Promise.resolve(cut([], page)),
        get: (clusterId, id) => Promise.reject(missing('EXPORT_NOT_FOUND', { id, clusterId })),
        cancel: ({ id }) => Promise.reject(missing('EXPORT_NOT_FOUND', { id })),
      },
      contents: {
        namespaces: async ({ id }, snapshotId) => (snapshotOf(id, snapshotId), world.held),
        databases: ({ id }, snapshotId, page) => Promise.resolve(cut(snapshotOf(id, snapshotId) === undefined ? [] : ['shop'], page)),
        database: ({ id }, snapshotId, name) => Promise.reject(missing('NAMESPACE_NOT_FOUND', { name, id: snapshotOf(id, snapshotId).id })),
        collections: ({ id }, snapshotId, name) => Promise.reject(missing('NAMESPACE_NOT_FOUND', { name, id: snapshotOf(id, snapshotId).id })),
        collection: ({ id }, snapshotId, { collection: name }) => Promise.reject(missing('NAMESPACE_NOT_FOUND', { name, id: snapshotOf(id, snapshotId).id })),
      },
      collectionRestores: {
        create: ({ cluster: of, snapshotId = '' }) => Promise.reject(missing('SNAPSHOT_NOT_FOUND', { id: snapshotId, clusterId: of.id })),
        list: (_id, page) => Promise.resolve(cut([], page)),
        get: (clusterId, id) => Promise.reject(missing('RESTORE_NOT_FOUND', { id, clusterId })),
        collections: ({ id, clusterId }) => Promise.reject(missing('RESTORE_NOT_FOUND', { id, clusterId })),
        collection: (clusterId, id) => Promise.reject(missing('RESTORE_NOT_FOUND', { id, clusterId })),
      },
      compliance: {
        get: () => Promise.resolve(null),
        put: () => Promise.reject(missing('COMPLIANCE_INVALID', { reason: 'in memory' })),
        remove: ({ project }) => Promise.reject(missing('COMPLIANCE_NOT_FOUND', { projectId: project.id })),
      },
      restores: {
        async create({ cluster: of, delivery, target, download, principal, jobForm, selection, ...from }) {
          world.lastSelection = selection;
          const base = from.instant === undefined ? null : await world.services.continuous.findBase(of, from.instant);
          const snapshotId = base?.snapshot.id ?? from.snapshotId ?? '';
          const snapshot = restorePointOf(of.id, snapshotId);
          if (snapshot.state !== 'completed') throw missing('SNAPSHOT_NOT_COMPLETE', { id: snapshotId, state: snapshot.state });
          const targetCluster = delivery === 'download' || target === undefined ? null : findTarget(state, target, principal);
          const id = nextId();
          const kind = delivery === 'download' ? 'prepareDownload' : 'restore';
          const job = newJob({ kind, projectId: of.projectId, clusterId: of.id, snapshotId, restoreId: id, form: jobForm }, principal);
          const restore: Restore = {
            id, delivery, projectId: of.projectId, clusterId: of.id, clusterName: of.name, snapshotId, snapshotCapturedAt: snapshot.capturedAt,
            snapshotPointInTime: snapshot.pointInTime, snapshotFinishedAt: snapshot.finishedAt, targetProjectId: targetCluster?.projectId ?? null,
            targetClusterId: targetCluster?.id ?? null, targetClusterName: targetCluster?.name ?? null, createdAt: clock.now(), startedAt: null, finishedAt: null,
            state: 'queued', proof: null, jobId: job.id, form: from.form ?? null, jobForm: jobForm ?? null,
            selection: { databases: [], collections: [], renames: [], ...selection },
            instant: base === null || from.instant === undefined ? null : { asked: from.instant, border: base.border, chainId: base.chainId },
            download: delivery === 'automated' ? null : {
              state: download?.readyAtOnce === true ? 'ready' : 'preparing',
              url: download?.readyAtOnce === true ? `${baseUrl()}/backup/restore/v2/pull/${id}/secret/rs0.tar.gz` : null,
              ...(download?.readyAtOnce === true ? { bearer: { url: `${baseUrl()}/backup/restore/v3/pull/${id}/rs0.tar.gz`, value: 'secret' } } : {}),
              expiresAt: download?.readyAtOnce === true ? new Date(clock.now().getTime() + download.expirationHours * 3_600_000) : null,
              expirationHours: download?.expirationHours ?? 1, maxDownloads: download?.maxDownloads ?? null, downloads: 0, fileName: 'rs0.tar.gz', sha1: null,
            },
          };
          state.restores.set(id, restore);
          return restore;
        },
        list: async (clusterId, page) => cut([...state.restores.values()].filter((each) => each.clusterId === clusterId).reverse(), page),
        get: async (clusterId, id) => restoreOf(clusterId, id),
        async undo({ cluster: of, id, principal }) {
          const restore = restoreOf(of.id, id);
          if (restore.state !== 'completed') throw missing('RESTORE_NOT_UNDOABLE', { id, state: restore.state });
          return newJob({ kind: 'undo', projectId: of.projectId, clusterId: of.id, snapshotId: restore.snapshotId, restoreId: id }, principal);
        },
        isUndone: async (clusterId, id) => { restoreOf(clusterId, id); return false; },
        async letGo({ cluster: of, id, principal }) {
          const restore = restoreOf(of.id, id);
          if (restore.state !== 'completed') throw missing('RESTORE_NOTHING_KEPT', { id, state: restore.state });
          return newJob({ kind: 'dropKept', projectId: of.projectId, clusterId: of.id, snapshotId: restore.snapshotId, restoreId: id }, principal);
        },
        async abandon({ cluster: of, id }) {
          if (restoreOf(of.id, id).state !== 'failed') throw missing('RESTORE_NOT_ABANDONABLE', { id, why: 'its servers are there' });
        },
        outcome: async (clusterId, id) => (restoreOf(clusterId, id).state === 'completed' ? { collections: [], movedAside: ['shop.old1'], warnings: ['one'], leftOut: null } : null),
        undoableUntil: async (clusterId, id) => (restoreOf(clusterId, id).state === 'completed' ? clock.now() : null),
        async cancel({ cluster: of, id }) {
          const restore = restoreOf(of.id, id);
          if (restore.download?.state === 'ready') change(state.restores, id, { download: { ...restore.download, state: 'cancelled', url: null } });
          else if (['completed', 'failed', 'cancelled'].includes(restore.state)) throw missing('RESTORE_NOT_CANCELLABLE', { id, state: restore.state });
          else endJob(restore.jobId, 'cancelled');
        },
      },
      downloads: { async resolve() { throw missing('DOWNLOAD_NOT_FOUND', {}); } },
      upkeep: { read: async () => ({ check: null, prune: null, copies: [], locks: null, mended: null }) },
      jobs: {
        async get(id) {
          const found = state.jobs.get(id);
          if (found === undefined) throw missing('JOB_NOT_FOUND', { id });
          return found;
        },
        async byNumber(wanted) {
          const found = [...state.jobs.values()].find((each) => each.number === wanted);
          if (found === undefined) throw missing('JOB_NOT_FOUND', { number: wanted });
          return found;
        },
        async list({ clusterIds, kinds, active, subclientId, endedAfter }, page) {
          const isActive = (job: Job): boolean => job.state === 'queued' || job.state === 'running';
          return cut([...state.jobs.values()].filter((job) => clusterIds.includes(job.clusterId)
            && (kinds === undefined || kinds.includes(job.kind)) && (active === undefined || active === isActive(job))
            && (subclientId === undefined || job.form?.['subclientId'] === subclientId) && (endedAfter === undefined || job.finishedAt === null || job.finishedAt >= endedAfter)).reverse(), page);
        },
        async cancel(id) {
          const job = state.jobs.get(id);
          if (job === undefined) throw missing('JOB_NOT_FOUND', { id });
          if (['completed', 'failed', 'cancelled'].includes(job.state)) throw missing('JOB_NOT_CANCELLABLE', { id, state: job.state });
          endJob(id, 'cancelled');
        },
        async pause(id) {
          const job = change(state.jobs, id, {});
          if (['completed', 'failed', 'cancelled'].includes(job.state)) throw missing('JOB_NOT_PAUSABLE', { id, state: job.state, why: `it is already ${job.state}` });
          change(state.jobs, id, { pausedAt: clock.now() });
        },
        async resume(id) {
          const job = change(state.jobs, id, {});
          if (job.pausedAt === null) throw missing('JOB_NOT_PAUSED', { id, state: job.state });
          change(state.jobs, id, { pausedAt: null });
        },
        async repeat(id, principal, { pause = false } = {}) {
          const { kind, projectId, clusterId, snapshotId, restoreId, form, state: at } = change(state.jobs, id, {});
          if (at === 'queued' || at === 'running') throw missing('JOB_NOT_REPEATABLE', { id, state: at, why: `it is still ${at}` });
          const made = newJob({ kind, projectId, clusterId, snapshotId, restoreId, form }, principal);
          return pause ? change(state.jobs, made.id, { pausedAt: clock.now() }) : made;
        },
      },
      administration: administrationInMemory(async (id) => {
        const found = state.organizations.find((each) => each.id === id);
        if (found === undefined) throw missing('ORGANIZATION_NOT_FOUND', { id });
        return found;
      }),
      drills: drillsInMemory({ now: () => clock.now(), nextId }),
      numbers: {
        numberOf: async (kind, id) => number(`${kind} ${id}`),
        async idOf(kind, wanted) {
          const found = [...state.numbers].find(([key, value]) => value === wanted && key.startsWith(`${kind} `));
          return found?.[0].slice(kind.length + 1) ?? null;
        },
      },
      subclients: subclients.service,
      // Nothing is taken back here: what that is worth is shown on a real catalog.
      together: (work) => work({ ...world.services, hold: () => Promise.resolve() }),
    },
  };
  return world;
}

function cluster(id: string, projectId: string, name: string, clock: Clock): Cluster {
  return { id, projectId, name, createdAt: clock.now(), hosts: ['db1.example:27017', 'db2.example:27017', ...(id === ORDERS_ID ? ['orders.example:27017'] : [])], replicaSetName: 'rs0', mongodbVersion: '6.0.5', lastSuccessAt: null, lastProvenAt: null, continuousBackup: false, tags: [], labels: [], terminationProtection: false, backupState: 'started', namespaceFilter: null, deletedAt: null };
}

function findTarget(
  state: { readonly projects: readonly Project[]; readonly clusters: readonly Cluster[] },
  target: { readonly projectId: string; readonly cluster: { readonly name: string } | { readonly id: string } }, principal: Principal,
): Cluster {
  const project = state.projects.find(({ id }) => id === target.projectId);
  if (project === undefined) throw missing('TARGET_NOT_FOUND', { projectId: target.projectId, ...target.cluster });
  if (!projectRolesOf(principal, project).has('GROUP_BACKUP_RECOVERY_OPERATOR')) throw missing('TARGET_FORBIDDEN', { projectId: project.id });
  const found = state.clusters.find((each) => each.projectId === project.id && ('id' in target.cluster ? each.id === target.cluster.id : each.name === target.cluster.name));
  if (found === undefined) throw missing('TARGET_NOT_FOUND', { projectId: project.id, ...target.cluster });
  return found;
}

function cut<T>(all: readonly T[], { pageNumber, itemsPerPage }: Page): PageOf<T> {
  return { items: all.slice((pageNumber - 1) * itemsPerPage, pageNumber * itemsPerPage), totalCount: all.length };
}

function missing(code: string, details: Readonly<Record<string, unknown>>): LeafvaultError {
  return new LeafvaultError(code, `In memory: ${code}`, { details });
}
