// Clusters that are registered, changed and ended by API. A connection string is tried before it is kept.
import type { CatalogStore, CatalogTransaction } from '../catalog/index.ts';
import { forbidClusterDeletion, forbidMoving, forbidTurningOff, requiresContinuous } from '../domain/compliance.ts';
import { freshProgress } from '../domain/plan-run.ts';
import type { Cluster, Project } from '../domain/records.ts';
import type { Principal } from '../domain/roles.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Clusters, FoundServer } from './administration-contracts.ts';
import { hostsOf, loginOf, optionOfThisMachine } from './cluster-address.ts';
import type { Snapshots } from './contracts.ts';
import { deleteSnapshots } from './delete-snapshots.ts';
import { holdCluster, requiredCluster } from './hold-cluster.ts';
import { makeCluster } from './make-cluster.ts';
import { nameOf } from './principals.ts';
import { isStorable } from './storable.ts';
import { keptTags } from './tags.ts';

export interface ClustersOptions {
  readonly catalog: Pick<CatalogStore, 'clusters' | 'snapshots' | 'jobs' | 'transaction'>;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly snapshots: Pick<Snapshots, 'delete'>;
  /** Connects and looks who answers, and with `rights` what the account lacks. Fails within seconds, in words without secrets. */
  readonly probe: (uri: string, options: { readonly rights: boolean }) => Promise<FoundServer>;
}

const AT_ONCE = 500;

export function createClusters(options: ClustersOptions): Clusters {
  const { catalog, clock } = options;
  return {
    async register({ project, name, uri, scheduled, tags = [], labels = [], terminationProtection = false, continuousBackup = false }) {
      const hosts = usableAddressesOf(uri);
      await requireFree(catalog, project, name);
      const found = await tried(options, uri, continuousBackup);
      return catalog.transaction(async (tx) => {
        await requireThere(tx, project);
        await requireFree(tx, project, name);
        const policy = await tx.compliance.hold(project.id);
        if (requiresContinuous(policy) && found.topology !== 'replicaSet') throw unfit(`the backup compliance policy asks for continuous backup, and ${NEEDS_SET}`);
        const { id } = await makeCluster({ catalog: tx, clock }, {
          id: newId(clock.now()), projectId: project.id, name, uri, hosts, continuousBackup, tags: keptTags(tags), labels: keptTags(labels), terminationProtection,
        }, { policy, scheduled });
        await tx.clusters.learn(id, { replicaSetName: found.replicaSetName, mongodbVersion: found.version });
        return requiredCluster(tx, id);
      });
    },
    async change(cluster, { uri, tags, labels, terminationProtection, continuousBackup }) {
      const hosts = uri === undefined ? null : usableAddressesOf(uri);
      const found = uri === undefined ? null : await tried(options, uri, continuousBackup ?? cluster.continuousBackup);
      if (continuousBackup === true && found === null && cluster.replicaSetName === null && cluster.mongodbVersion !== null) throw unfit(NEEDS_SET);
      return catalog.transaction(async (tx) => {
        const policy = await tx.compliance.hold(cluster.projectId);
        if (continuousBackup === false) forbidTurningOff(policy, cluster.name);
        const held = await holdCluster(tx, cluster);
        if (hosts !== null) forbidMoving(policy, held, hosts);
        if (uri !== undefined && hosts !== null && found !== null) {
          await tx.clusters.setUri(cluster.id, uri, hosts);
          await tx.clusters.learn(cluster.id, { replicaSetName: found.replicaSetName, mongodbVersion: found.version });
        }
        await tx.clusters.change(cluster.id, { tags: tags && keptTags(tags), labels: labels && keptTags(labels), terminationProtection });
        if (continuousBackup !== undefined) await tx.clusters.setContinuousBackup(cluster.id, continuousBackup);
        return requiredCluster(tx, cluster.id);
      });
    },
    async delete({ cluster, retainBackups, principal }) {
      await catalog.transaction((tx) => endCluster(tx, clock, cluster));
      await cancelJobs(options, cluster, principal);
      // Behind the end of the cluster: where this breaks off, more is kept than was asked for, never less.
      await deleteSnapshots(options, { cluster, unfinishedOnly: retainBackups, principal });
    },
    kept: (projectId) => catalog.clusters.kept(projectId),
    async keptByName(projectId, name) {
      const found = isStorable(name) ? await catalog.clusters.keptByName(projectId, name) : null;
      if (found === null) throw new LeafvaultError('CLUSTER_NOT_FOUND', `Reading a cluster named ${name} in project ${projectId} failed: there is none`, { details: { projectId, name } });
      return found;
    },
    async keptById(projectId, id) {
      const found = (await catalog.clusters.kept(projectId)).find((each) => each.id === id);
      if (found === undefined) throw new LeafvaultError('CLUSTER_NOT_FOUND', `Reading cluster ${id} in project ${projectId} failed: there is none`, { details: { projectId, id } });
      return found;
    },
  };
}

const NEEDS_SET = 'continuous backup follows the oplog of a replica set, and this is a single server';

async function tried({ probe }: ClustersOptions, uri: string, continuousBackup: boolean): Promise<FoundServer> {
  let found: FoundServer;
  try {
    found = await probe(uri, { rights: true });
  } catch (cause) {
    // Words of the engine name hosts and causes, never a secret.
    const why = isLeafvaultError(cause) ? cause.message : describeError(cause);
    const hint = (isLeafvaultError(cause) ? cause.hint : undefined) ?? 'Check the connection string, and that the server can be reached from here';
    throw new LeafvaultError('CLUSTER_UNREACHABLE', `Registering a cluster failed: ${why}`, { cause, details: { reason: `${why}. ${hint}` }, hint });
  }
  if (found.topology === 'sharded') throw unfit('it is a mongos, and sharded clusters are not captured yet');
  if (continuousBackup && found.topology !== 'replicaSet') throw unfit(NEEDS_SET);
  const { missing = [] } = found;
  // One that can't read would let every snapshot fail, and with that go around a compliance policy.
  if (missing.length > 0) throw unfit(`${loginOf(uri).mechanism === null ? 'the connection string names no account, and without one the server refuses' : 'the account may not do'} what a snapshot needs: ${missing.join(', ')}. The role leafvaultBackup has it; \`leafvault roles\` prints how to create it`);
  return found;
}

async function endCluster(tx: CatalogTransaction, clock: Clock, cluster: Cluster): Promise<void> {
  // Also where its snapshots would stay: none would be taken any more.
  forbidClusterDeletion(await tx.compliance.hold(cluster.projectId), cluster.name);
  // First the schedule, then the cluster: like whoever follows or changes the one.
  const schedule = await tx.schedules.hold(cluster.id, { wait: true });
  const { id, name, terminationProtection } = await holdCluster(tx, cluster);
  if (terminationProtection) throw new LeafvaultError('CLUSTER_PROTECTED', `Deleting cluster ${name} was refused: it is protected`, { details: { name }, hint: 'Set terminationProtectionEnabled to false first' });
  if (await tx.clusters.isRestoring(id)) throw new LeafvaultError('CLUSTER_BUSY', `Deleting cluster ${name} was refused: a restore of it runs`, { details: { name }, hint: 'Cancel the restore, or wait for its end; `leafvault jobs` shows what is still to be cleaned up on a target, and `leafvault jobs abandon` gives that up where its servers are gone' });
  if (schedule !== null) await tx.schedules.save({ schedule: { ...schedule.schedule, items: [] }, progress: freshProgress(clock.now()) });
  // Whoever follows the cluster, or the next who looks, ends its chain in the repository, too: what is kept of the oplog goes with the snapshots.
  await tx.clusters.markDeleted(id);
}

async function cancelJobs({ catalog, queue }: ClustersOptions, cluster: Cluster, principal: Principal): Promise<void> {
  const { items } = await catalog.jobs.list({ clusterIds: [cluster.id], kinds: ['snapshot', 'verify', 'drill'], active: true }, { pageNumber: 1, itemsPerPage: AT_ONCE });
  for (const { id } of items) await queue.cancel(id, nameOf(principal));
}

/** Holds the project, so that nobody deletes it meanwhile. */
async function requireThere(tx: CatalogTransaction, { id }: Project): Promise<void> {
  await tx.projects.hold(id);
  const project = await tx.projects.get(id);
  if (project === null || project.deletedAt !== null) throw new LeafvaultError('PROJECT_NOT_FOUND', `Registering a cluster in project ${id} failed: there is no such project`, { details: { id } });
}

/** Of a connection string that may come by API. @throws CLUSTER_URI_INVALID, CLUSTER_UNFIT */
function usableAddressesOf(uri: string): readonly string[] {
  try {
    const hosts = hostsOf(uri, 'the connection string');
    const option = optionOfThisMachine(uri);
    if (option !== null) throw unfit(`${option} rests on files or the identity of Leafvault's own machine, so only leafvault.yaml may say it`);
    return hosts;
  } catch (cause) {
    if (isLeafvaultError(cause, 'CLUSTER_UNFIT')) throw cause;
    const hint = isLeafvaultError(cause) ? cause.hint : undefined;
    throw new LeafvaultError('CLUSTER_URI_INVALID', 'Registering a cluster failed: what was given is no MongoDB connection string', { ...(hint === undefined ? {} : { hint }) });
  }
}

/** A name is taken as long as snapshots are found under it. @throws CLUSTER_NAME_TAKEN, CLUSTER_NAME_KEPT */
async function requireFree({ clusters }: Pick<CatalogTransaction, 'clusters'>, { id }: Project, name: string): Promise<void> {
  if ((await clusters.byName(id, name)) !== null) throw nameTaken(id, name);
  if ((await clusters.keptByName(id, name)) === null) return;
  throw new LeafvaultError('CLUSTER_NAME_KEPT', `Registering cluster ${name} was refused: snapshots of a deleted one are kept under that name`, { details: { name, projectId: id }, hint: 'Choose another name, or delete these snapshots' });
}

function nameTaken(id: string, name: string): LeafvaultError {
  return new LeafvaultError('CLUSTER_NAME_TAKEN', `Registering cluster ${name} was refused: project ${id} has one of that name`, { details: { name, projectId: id }, hint: 'Choose another name, or change the cluster that is there' });
}

function unfit(reason: string): LeafvaultError {
  return new LeafvaultError('CLUSTER_UNFIT', `Registering a cluster was refused: ${reason}`, { details: { reason } });
}
