// Organizations, projects and clusters that the tables lack, from what snapshots say of themselves.
import type { CatalogTransaction } from '../../catalog/index.ts';
import type { Cluster, Organization, Project } from '../../domain/records.ts';
import type { Clock } from '../../foundation/clock.ts';
import { isId, newId } from '../../foundation/ids.ts';
import type { About } from '../about-snapshot.ts';
import type { RootSummary, StoreSurvey } from './survey-store.ts';

export const RESCUED = 'Rescued';

export interface Inventory {
  /** By series. A series that is no id of a cluster has none. */
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly made: { readonly organizations: readonly Organization[]; readonly projects: readonly Project[]; readonly clusters: readonly Cluster[] };
}

interface Making {
  readonly tx: CatalogTransaction;
  readonly clock: Clock;
  readonly organizations: Organization[];
  readonly projects: Project[];
  readonly clusters: Cluster[];
}

/** One cluster for each series; names of the newest snapshot that tells some. */
export async function rebuildInventory(tx: CatalogTransaction, clock: Clock, { roots, abouts }: StoreSurvey): Promise<Inventory> {
  const making: Making = { tx, clock, organizations: [], projects: [], clusters: [] };
  const clusters = new Map<string, Cluster>();
  for (const [series, { newest, about }] of newestBySeries(roots, abouts)) {
    if (!isId(series)) continue;
    const known = await tx.clusters.get(series);
    const cluster = known ?? (await makeCluster(making, series, newest, about));
    clusters.set(series, cluster);
    // What the last contact taught, where the tables know less.
    const capturedAt = new Date(newest.body.capturedAt);
    if (cluster.lastSuccessAt === null || cluster.lastSuccessAt < capturedAt) {
      const { serverVersion, replicaSetName } = newest.body.source;
      await tx.clusters.learn(series, { lastSuccessAt: capturedAt, mongodbVersion: serverVersion, replicaSetName });
    }
  }
  return { clusters, made: making };
}

function newestBySeries(roots: StoreSurvey['roots'], abouts: StoreSurvey['abouts']): ReadonlyMap<string, { readonly newest: RootSummary; readonly about: About | null }> {
  const found = new Map<string, { newest: RootSummary; about: About | null; aboutAt: string }>();
  for (const root of roots.values()) {
    const about = abouts.get(root.id) ?? null;
    const known = found.get(root.series);
    if (known === undefined) found.set(root.series, { newest: root, about, aboutAt: about === null ? '' : root.createdAt });
    else {
      if (root.createdAt > known.newest.createdAt) known.newest = root;
      if (about !== null && root.createdAt > known.aboutAt) Object.assign(known, { about, aboutAt: root.createdAt });
    }
  }
  return found;
}

async function makeCluster(making: Making, series: string, { body }: RootSummary, about: About | null): Promise<Cluster> {
  const { tx, clusters } = making;
  const project = about === null ? await rescuedProject(making) : await projectOf(making, about);
  const name = about?.cluster.name ?? `${body.source.replicaSetName ?? 'cluster'}-${series.slice(-6)}`;
  const taken = (await tx.clusters.byName(project.id, name)) !== null;
  const cluster = await tx.clusters.insert({
    id: series, projectId: project.id, name: taken ? `${name}-${series.slice(-6)}` : name, uri: null, hosts: [], continuousBackup: about?.cluster.continuousBackup ?? false,
  });
  clusters.push(cluster);
  return cluster;
}

async function projectOf(making: Making, { organization, project }: About): Promise<Project> {
  const { tx, projects } = making;
  const known = await tx.projects.get(project.id);
  if (known !== null) return known;
  const { id: orgId } = await organizationOf(making, organization);
  const taken = (await tx.projects.byName(orgId, project.name)) !== null;
  const made = await tx.projects.insert({ id: project.id, orgId, name: taken ? `${project.name}-${project.id.slice(-6)}` : project.name });
  projects.push(made);
  return made;
}

async function organizationOf({ tx, organizations }: Making, { id, name }: { readonly id: string; readonly name: string }): Promise<Organization> {
  const known = await tx.organizations.get(id);
  if (known !== null) return known;
  const taken = (await tx.organizations.byName(name)) !== null;
  const made = await tx.organizations.insert({ id, name: taken ? `${name}-${id.slice(-6)}` : name });
  organizations.push(made);
  return made;
}

/** For snapshots that say nothing of themselves. */
async function rescuedProject(making: Making): Promise<Project> {
  const { tx, clock, organizations, projects } = making;
  let organization = await tx.organizations.byName(RESCUED);
  if (organization === null) {
    organization = await tx.organizations.insert({ id: newId(clock.now()), name: RESCUED });
    organizations.push(organization);
  }
  const known = await tx.projects.byName(organization.id, RESCUED);
  if (known !== null) return known;
  const made = await tx.projects.insert({ id: newId(clock.now()), orgId: organization.id, name: RESCUED });
  projects.push(made);
  return made;
}
