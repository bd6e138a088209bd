// Organizations, projects and clusters as a principal may see them.
import type { CatalogAggregates } from '../catalog/index.ts';
import type { Project } from '../domain/records.ts';
import { PROJECT_ROLES, type Principal } from '../domain/roles.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { Inventory } from './contracts.ts';
import { isStorable } from './storable.ts';

/** Projects that are read at once where all of them are asked for. */
const PROJECTS_AT_ONCE = 500;

export function createInventory(catalog: Pick<CatalogAggregates, 'organizations' | 'projects' | 'clusters'>): Inventory {
  return {
    organizations: (principal, page) => catalog.organizations.list({ ids: visibleOrganizations(principal) }, page),
    projects: (principal, page) => catalog.projects.list(visibleProjects(principal), page),
    async project(id) {
      const project = isId(id) ? await catalog.projects.get(id) : null;
      if (project === null || project.deletedAt !== null) throw new LeafvaultError('PROJECT_NOT_FOUND', `Reading project ${id} failed: there is no such project`, { details: { id } });
      return project;
    },
    async clusterByName(projectId, name) {
      const cluster = isStorable(name) ? await catalog.clusters.byName(projectId, name) : null;
      return cluster ?? failWithoutCluster(projectId, { name });
    },
    async clusterById(projectId, id) {
      const cluster = isId(id) ? await catalog.clusters.get(id) : null;
      return cluster?.projectId === projectId && cluster.deletedAt === null ? cluster : failWithoutCluster(projectId, { id });
    },
    clusters: (projectId, page) => catalog.clusters.list(projectId, page),
    async visibleClusters(principal) {
      const projects = new Map((await allProjects(catalog, principal)).map((project) => [project.id, project]));
      const clusters = await catalog.clusters.ofProjects([...projects.keys()]);
      return clusters.flatMap((cluster) => {
        const project = projects.get(cluster.projectId);
        return project === undefined ? [] : [{ project, cluster }];
      });
    },
  };
}

/** Ids, or null for all. A principal always sees its own organization. */
function visibleOrganizations(principal: Principal): readonly string[] | null {
  if (seesEverything(principal)) return null;
  return [...new Set([principal.orgId, ...principal.grants.flatMap(({ orgId }) => orgId ?? [])])];
}

function visibleProjects(principal: Principal): { readonly orgIds: readonly string[] | null; readonly ids: readonly string[] | null } {
  if (seesEverything(principal)) return { orgIds: null, ids: null };
  return {
    orgIds: principal.grants.flatMap(({ role, orgId }) => (orgId !== undefined && (role === 'ORG_OWNER' || role === 'ORG_READ_ONLY') ? [orgId] : [])),
    ids: principal.grants.flatMap(({ role, projectId }) => (projectId !== undefined && (PROJECT_ROLES as readonly string[]).includes(role) ? [projectId] : [])),
  };
}

function seesEverything(principal: Principal): boolean {
  return principal.grants.some(({ role }) => role.startsWith('GLOBAL_'));
}

async function allProjects(catalog: Pick<CatalogAggregates, 'projects'>, principal: Principal): Promise<Project[]> {
  const found: Project[] = [];
  for (let pageNumber = 1; ; pageNumber += 1) {
    const { items, totalCount } = await catalog.projects.list(visibleProjects(principal), { pageNumber, itemsPerPage: PROJECTS_AT_ONCE });
    found.push(...items);
    if (items.length === 0 || found.length >= totalCount) return found;
  }
}

function failWithoutCluster(projectId: string, by: { readonly name: string } | { readonly id: string }): never {
  const word = 'name' in by ? `named ${by.name}` : `with id ${by.id}`;
  throw new LeafvaultError('CLUSTER_NOT_FOUND', `Reading a cluster ${word} in project ${projectId} failed: there is none`, { details: { projectId, ...by } });
}
