// Projects that are made, renamed and ended by API.
import type { CatalogStore, CatalogTransaction } from '../catalog/index.ts';
import { forbidProjectDeletion } from '../domain/compliance.ts';
import type { Project } from '../domain/records.ts';
import { orgRolesOf, type Principal } from '../domain/roles.ts';
import type { Clock } from '../foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { isId, newId } from '../foundation/ids.ts';
import type { Projects } from './administration-contracts.ts';
import { organizationNotFound } from './organizations.ts';
import { keptTags } from './tags.ts';
import { keptText } from './storable.ts';

export function createProjects({ catalog, clock }: { readonly catalog: Pick<CatalogStore, 'transaction'>; readonly clock: Clock }): Projects {
  return {
    create: ({ orgId, name, tags, ownerId, principal }) => named(name, orgId, () => catalog.transaction(async (tx) => {
      if ((await tx.organizations.get(orgId)) === null) throw organizationNotFound(orgId);
      const project = await tx.projects.insert({ id: newId(clock.now()), orgId, name: keptText('name', name), tags: keptTags(tags) });
      await makeOwners(tx, project, principal, ownerId);
      return project;
    })),
    change: (project, { name, tags }) => named(name ?? project.name, project.orgId, () => catalog.transaction(async (tx) => {
      await tx.projects.change(project.id, { name: name === undefined ? undefined : keptText('name', name), tags: tags === undefined ? undefined : keptTags(tags) });
      return (await tx.projects.get(project.id)) ?? project;
    })),
    delete: (project) => catalog.transaction(async (tx) => {
      // Whoever registers a cluster holds the project too: none comes in between.
      await tx.projects.hold(project.id);
      forbidProjectDeletion(await tx.compliance.hold(project.id), project.name);
      if ((await tx.clusters.list(project.id, { pageNumber: 1, itemsPerPage: 1 })).totalCount > 0) {
        throw new LeafvaultError('PROJECT_HAS_CLUSTERS', `Deleting project ${project.name} was refused: it has clusters`, { details: { id: project.id }, hint: 'Delete its clusters first' });
      }
      if ((await tx.clusters.kept(project.id)).length > 0) {
        throw new LeafvaultError('PROJECT_HAS_SNAPSHOTS', `Deleting project ${project.name} was refused: snapshots of deleted clusters are kept in it`, { details: { id: project.id }, hint: 'Delete these snapshots first, or wait until they expire' });
      }
      await tx.roleGrants.removeProject(project.id);
      await tx.projects.markDeleted(project.id);
    }),
  };
}

async function makeOwners(tx: CatalogTransaction, project: Project, principal: Principal, ownerId: string | undefined): Promise<void> {
  const grant = { role: 'GROUP_OWNER', projectId: project.id } as const;
  if (!orgRolesOf(principal, project.orgId).has('ORG_OWNER')) await tx.roleGrants.add(principal.kind, principal.id, [grant]);
  if (ownerId === undefined) return;
  const user = isId(ownerId) ? await tx.users.get(ownerId) : null;
  if (user?.orgId !== project.orgId) throw new LeafvaultError('USER_NOT_FOUND', `Making user ${ownerId} owner of a project failed: the organization has none`, { details: { id: ownerId } });
  await tx.roleGrants.add('user', user.id, [grant]);
}

/** Names are unique among the projects of an organization that are there. */
async function named<T>(name: string, orgId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isLeafvaultError(cause, 'CATALOG_DUPLICATE')) throw cause;
    throw new LeafvaultError('PROJECT_NAME_TAKEN', `Naming a project ${name} failed: organization ${orgId} has one of that name`, { cause, details: { name }, hint: 'Choose another name' });
  }
}
