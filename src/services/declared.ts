// Makes what the configuration declares: organizations, projects, clusters, credentials. Creates what is missing,
// deletes nothing; a secret, address or access list of the file stands after a start, any other difference is told.
import type { CatalogStore } from '../catalog/index.ts';
import { requiresContinuous } from '../domain/compliance.ts';
import type { DrillChoices } from '../domain/drill.ts';
import type { Organization, Project } from '../domain/records.ts';
import type { Clock } from '../foundation/clock.ts';
import { isLeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import { hostsOf } from './cluster-address.ts';
import { declareCredentials, type DeclaredCredentials } from './declared-credentials.ts';
import { contradiction, type DeclarationReport, type Declaring } from './declaring.ts';
import { firstSchedule, makeCluster } from './make-cluster.ts';

export interface DeclaredCluster {
  readonly name: string;
  readonly id?: string | undefined;
  readonly uri: string;
  readonly continuousBackup?: boolean | undefined;
  readonly drills?: DrillChoices | undefined;
  /** Of one that is made; `default` unless told. */
  readonly schedule?: 'default' | 'none' | undefined;
}
export interface DeclaredProject extends DeclaredCredentials {
  readonly name: string; readonly id?: string | undefined; readonly clusters?: readonly DeclaredCluster[];
}
export interface DeclaredOrganization extends DeclaredCredentials {
  readonly name: string; readonly id?: string | undefined; readonly projects?: readonly DeclaredProject[];
}

/** Two processes that start at once run into each other's rows; the second then finds them. */
const TRIES = 3;

/**
 * All or nothing, in one transaction; a second run changes nothing.
 * @throws DECLARATION_INVALID when the file contradicts itself or ids and names of the catalog
 */
export async function applyDeclared(
  { catalog, clock }: { readonly catalog: Pick<CatalogStore, 'transaction'>; readonly clock: Clock }, organizations: readonly DeclaredOrganization[],
): Promise<DeclarationReport> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await catalog.transaction(async (tx) => {
        const declaring = { catalog: tx, clock, report: { created: [], changed: [], differs: [] }, seen: new Map() };
        for (const organization of organizations) await declareOrganization(declaring, organization);
        return declaring.report;
      });
    } catch (error) {
      if (attempt >= TRIES || !isLeafvaultError(error, 'CATALOG_DUPLICATE')) throw error;
    }
  }
}

async function declareOrganization(declaring: Declaring, declared: DeclaredOrganization): Promise<void> {
  const { catalog, clock, report } = declaring;
  const path = `organization ${declared.name}`;
  const organization = await findByIdOrName(declared, path, {
    byId: (id) => catalog.organizations.get(id),
    byName: () => catalog.organizations.byName(declared.name),
  }, report) ?? await created(report, path, catalog.organizations.insert({ id: declared.id ?? newId(clock.now()), name: declared.name }));
  await declareCredentials(declaring, declared, { orgId: organization.id, projectId: null, path });
  for (const project of declared.projects ?? []) await declareProject(declaring, organization, project);
}

async function declareProject(declaring: Declaring, organization: Organization, declared: DeclaredProject): Promise<void> {
  const { catalog, clock, report } = declaring;
  const path = `project ${declared.name} of organization ${organization.name}`;
  const project = await findByIdOrName(declared, path, {
    byId: (id) => catalog.projects.get(id),
    byName: () => catalog.projects.byName(organization.id, declared.name),
  }, report) ?? await created(report, path, catalog.projects.insert({ id: declared.id ?? newId(clock.now()), orgId: organization.id, name: declared.name }));
  if (project.orgId !== organization.id) throw contradiction(path, `project ${project.id} belongs to another organization`);
  if (project.deletedAt !== null) {
    await catalog.projects.revive(project.id);
    report.created.push(path);
  }
  await declareCredentials(declaring, declared, { orgId: organization.id, projectId: project.id, path });
  for (const cluster of declared.clusters ?? []) await declareCluster(declaring, project, cluster);
}

/** Also for the one cluster of `LEAFVAULT_SOURCE_URI`. */
export async function declareCluster({ catalog, clock, report }: Declaring, project: Project, declared: DeclaredCluster): Promise<void> {
  const path = `cluster ${declared.name} of project ${project.name}`;
  const hosts = hostsOf(declared.uri, path);
  const known = await findByIdOrName(declared, path, {
    byId: (id) => catalog.clusters.get(id),
    // Kept snapshots would be found under no name, were there another cluster of theirs.
    byName: async () => (await catalog.clusters.byName(project.id, declared.name)) ?? (declared.id === undefined ? catalog.clusters.keptByName(project.id, declared.name) : null),
  }, report);
  // What the policy asks for, the file can't take back.
  const policy = await catalog.compliance.hold(project.id);
  if (known === null) {
    const made = await created(report, path, makeCluster({ catalog, clock }, {
      id: declared.id ?? newId(clock.now()), projectId: project.id, name: declared.name, uri: declared.uri, hosts, continuousBackup: declared.continuousBackup ?? false,
    }, { policy, scheduled: declared.schedule !== 'none' }));
    if (declared.drills !== undefined) await catalog.drills.choose(made.id, declared.drills);
    return;
  }
  if (known.projectId !== project.id) throw contradiction(path, `cluster ${known.id} belongs to another project`);
  if (known.deletedAt !== null) {
    await catalog.clusters.revive(known.id);
    await firstSchedule({ catalog, clock }, known.id, { policy, scheduled: declared.schedule !== 'none' });
    report.created.push(path);
  }
  const wanted = requiresContinuous(policy) ? true : declared.continuousBackup;
  if (requiresContinuous(policy) && declared.continuousBackup === false) report.differs.push(`continuous backup of ${path} stays on: the backup compliance policy asks for it`);
  if (wanted !== undefined && wanted !== known.continuousBackup) {
    await catalog.clusters.setContinuousBackup(known.id, wanted);
    report.changed.push(`continuous backup of ${path}, which is ${wanted ? 'on' : 'off'} now`);
  }
  // The file alone says it, so what is gone from the file is gone.
  if (await catalog.drills.choose(known.id, declared.drills ?? null)) report.changed.push(`drills of ${path}`);
  if ((await catalog.clusters.uriOf(known.id)) === declared.uri) return;
  await catalog.clusters.setUri(known.id, declared.uri, hosts);
  report.changed.push(`connection string of ${path}`);
}

interface Finders<T> { byId(id: string): Promise<T | null>; byName(): Promise<T | null> }

/** An id decides; a name under another id contradicts the catalog, another name under the id is told. */
async function findByIdOrName<T extends { readonly id: string; readonly name: string }>(
  declared: { readonly id?: string | undefined; readonly name: string }, path: string, finders: Finders<T>, report: DeclarationReport,
): Promise<T | null> {
  const named = await finders.byName();
  if (declared.id === undefined) return named;
  const found = await finders.byId(declared.id);
  if (named !== null && named.id !== declared.id) throw contradiction(path, `it is declared with id ${declared.id}, and exists with id ${named.id}`);
  if (found !== null && found.name !== declared.name) report.differs.push(`${path}: id ${declared.id} is named ${found.name} in the catalog`);
  return found;
}

async function created<T>(report: DeclarationReport, path: string, insert: Promise<T>): Promise<T> {
  const made = await insert;
  report.created.push(path);
  return made;
}
