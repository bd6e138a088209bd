// Brings the tables of a rescued catalog up to what the store holds now (docs/design/rescue.md, "Reconcile"). The store wins.
import type { Catalog, CatalogTransaction, Chain, KnownSnapshot } from '../../catalog/index.ts';
import { takesEverything } from '../../domain/namespace-selection.ts';
import type { Cluster } from '../../domain/records.ts';
import { KEEP_KINDS } from '../../domain/keeps.ts';
import { expiryOf, type KeptItem } from '../../domain/retention.ts';
import type { Clock } from '../../foundation/clock.ts';
import { newId } from '../../foundation/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import { CHAIN_BROKEN } from '../tailers/recover-chains.ts';
import { findChains, type FoundChains } from './find-chains.ts';
import { askAllForLostDrills } from './lost-drills.ts';
import { rebuildInventory, type Inventory } from './rebuild-inventory.ts';
import { surveyStore, type RootSummary, type StoreSurvey } from './survey-store.ts';

export interface Reconciled {
  readonly made: Inventory['made'];
  /** Ids; of snapshots that the tables did not know, or not as completed. */
  readonly added: readonly string[];
  /** Completed ones whose root is gone. */
  readonly gone: readonly string[];
  /** Deleted since the dump, as a fact says. */
  readonly deleted: readonly string[];
  /** With another expiry than the tables had. */
  readonly moved: readonly string[];
  readonly chains: { readonly total: number; readonly changed: number; readonly goOn: number };
  readonly failedJobs: number;
  /** What can't be read, and what belongs to no cluster, in words. */
  readonly notes: readonly string[];
}

export interface ReconcileParts {
  readonly catalog: Catalog;
  readonly repository: Repository;
  readonly clock: Clock;
}

const RESCUED_JOB = {
  code: 'JOBS_CATALOG_RESCUED', message: 'The catalog was lost and rescued while this job was queued or running', hint: 'Ask for it again if it is still wanted',
};

/** @param beside runs in the transaction that writes everything and takes the mark away */
export async function reconcile({ catalog, repository, clock }: ReconcileParts, beside: (tx: CatalogTransaction, made: Inventory['made']) => Promise<void>): Promise<Reconciled> {
  const survey = await surveyStore(repository);
  const chains = await findChains(repository, (id) => catalog.chains.get(id));
  return catalog.transaction(async (tx) => {
    const inventory = await rebuildInventory(tx, clock, survey);
    const snapshots = await reconcileSnapshots(tx, clock, survey, inventory);
    const saved = await saveChains(tx, clock, chains);
    const failedJobs = await tx.rescues.failJobs(RESCUED_JOB);
    await tx.rescues.emptyPlans();
    await askAllForLostDrills(tx);
    await beside(tx, inventory.made);
    await tx.rescues.end();
    return {
      ...snapshots, made: inventory.made, failedJobs, chains: saved.counts,
      notes: [...survey.unreadable, ...chains.unreadable, ...snapshots.notes, ...saved.notes],
    };
  });
}

async function reconcileSnapshots(
  tx: CatalogTransaction, clock: Clock, survey: StoreSurvey, { clusters }: Inventory,
): Promise<Pick<Reconciled, 'added' | 'gone' | 'deleted' | 'moved' | 'notes'>> {
  const report = { added: [] as string[], gone: [] as string[], deleted: [] as string[], moved: [] as string[], notes: [] as string[] };
  const known = await tx.rescues.snapshots();
  for (const root of survey.roots.values()) {
    const row = known.get(root.id);
    const cluster = clusters.get(root.series);
    if (row?.state === 'completed') continue;
    if (cluster === undefined) {
      report.notes.push(`The snapshot ${root.id} belongs to ${root.series}, which is no id of a cluster; it stays in the store`);
      continue;
    }
    await addSnapshot(tx, root, cluster, survey);
    report.added.push(root.id);
  }
  for (const row of known.values()) {
    if (row.deleted) continue;
    await moveKeeps(tx, row, survey);
    const deletedAt = survey.deleted.get(row.id);
    // One whose root is shown is pinned or held, which the fact does not get past.
    if (deletedAt !== undefined && !survey.roots.has(row.id)) {
      await tx.rescues.markDeleted(row.id, deletedAt);
      report.deleted.push(row.id);
    } else if (row.state === 'completed' && !survey.roots.has(row.id) && !survey.unreadableRoots.has(row.id)) {
      await tx.rescues.markDeleted(row.id, clock.now());
      report.gone.push(row.id);
    } else if (await moveExpiry(tx, row, survey)) report.moved.push(row.id);
  }
  return report;
}

/** The fact counts, unless the tables hold a later decision that has still to be told. */
async function moveExpiry(tx: CatalogTransaction, row: KnownSnapshot, { expiries }: StoreSurvey): Promise<boolean> {
  const fact = expiries.get(row.id);
  if (fact === undefined || row.state !== 'completed' || fact.expiresAt.getTime() === row.expiresAt.getTime()) return false;
  if (row.expiryToTellAt !== null && row.expiryToTellAt >= fact.decidedAt) return false;
  await tx.rescues.setExpiry(row.id, fact.expiresAt, { byHand: isByHand(fact.expiresAt, row.capturedAt, row.policyItems) });
  return true;
}

/** Like expiries. Of what the store knows nothing the tables do: a pin that stays by mistake costs room. */
async function moveKeeps(tx: CatalogTransaction, row: KnownSnapshot, { keeps }: StoreSurvey): Promise<void> {
  const toTell = { pin: row.pinToTellAt, hold: row.holdToTellAt };
  for (const kind of KEEP_KINDS) {
    const fact = keeps[kind].get(row.id);
    if (fact !== undefined && (toTell[kind] ?? new Date(0)) < fact.decidedAt) await tx.rescues.setKeep(row.id, kind, fact.keep);
  }
}

/** Facts say ends, not who wanted them: one that the items do not give may be somebody's, so no policy may cut it. */
function isByHand(expiresAt: Date, capturedAt: Date | null, items: readonly KeptItem[] | null): boolean {
  return items === null || items.length === 0 || capturedAt === null || expiryOf(capturedAt, items).getTime() !== expiresAt.getTime();
}

const DAY_MS = 86_400_000;
/** Of one whose retention nobody knows any more: long enough to be noticed. */
const UNKNOWN_RETENTION_DAYS = 365;

async function addSnapshot(tx: CatalogTransaction, { id, body, createdAt, storedBytes }: RootSummary, cluster: Cluster, { abouts, expiries, keeps }: StoreSurvey): Promise<void> {
  const about = abouts.get(id);
  const capturedAt = new Date(body.capturedAt);
  const told = expiries.get(id)?.expiresAt;
  const policyItems = about?.policyItems ?? null;
  const expiresAt = told ?? new Date(capturedAt.getTime() + (about?.retentionDays ?? UNKNOWN_RETENTION_DAYS) * DAY_MS);
  const { selection, source, pointInTime, consistency, documents, bytes } = body;
  await tx.rescues.saveFound({
    id, pin: keeps.pin.get(id)?.keep ?? null, hold: keeps.hold.get(id)?.keep ?? null, expiresAt, capturedAt, pointInTime, consistency, documents, expiryByHand: told !== undefined && isByHand(told, capturedAt, policyItems),
    projectId: cluster.projectId, clusterId: cluster.id, clusterName: about?.cluster.name ?? cluster.name,
    type: about?.type ?? 'onDemand', policyItems, description: about?.description ?? null,
    retentionDays: about?.retentionDays ?? Math.max(1, Math.round((expiresAt.getTime() - capturedAt.getTime()) / DAY_MS)),
    selection: selection === undefined || takesEverything(selection) ? null : selection,
    jobId: about?.jobId ?? newId(capturedAt), requestedAt: new Date(about?.requestedAt ?? createdAt), finishedAt: new Date(createdAt),
    mongodbVersion: source.serverVersion, replicaSetName: source.replicaSetName, replicaSetId: source.replicaSetId, dataSizeBytes: bytes, storageSizeBytes: storedBytes,
  });
}

async function saveChains(tx: CatalogTransaction, clock: Clock, { changed, ids, unreadable }: FoundChains): Promise<{ readonly counts: Reconciled['chains']; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const isOfCluster = async ({ clusterId }: Chain): Promise<boolean> => (await tx.clusters.get(clusterId)) !== null;
  let saved = 0;
  // Ends first: of a cluster one row at most may go on.
  for (const chain of [...changed].sort((a, b) => Number(a.end === null) - Number(b.end === null))) {
    if (await isOfCluster(chain)) {
      const open = chain.end === null ? await tx.chains.openOf(chain.clusterId) : null;
      if (open !== null && open.id !== chain.id) await tx.chains.end(open.id, broken(clock, 'A newer chain of the cluster goes on'));
      await tx.chains.save(chain);
      saved += 1;
    } else notes.push(`The chain ${chain.id} belongs to ${chain.clusterId}, of which there is no snapshot; it stays in the store`);
  }
  let goOn = 0;
  for (const cluster of await tx.clusters.ofProjects(null)) {
    const open = await tx.chains.openOf(cluster.id);
    if (open === null) continue;
    // Where something could not be read, the chain may be there; whoever follows the cluster finds out.
    if (ids.has(open.id) || unreadable.length > 0) goOn += 1;
    else await tx.chains.end(open.id, broken(clock, 'The store has no such chain'));
  }
  return { counts: { total: ids.size, changed: saved, goOn }, notes };
}

function broken(clock: Clock, message: string): NonNullable<Chain['end']> {
  return { reason: CHAIN_BROKEN, message, at: clock.now() };
}
