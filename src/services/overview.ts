// What metrics tell: every cluster with its last success and proof, what it holds, and jobs by state.
import type { CatalogAggregates, ClusterTotals, JobCount } from '../catalog/index.ts';
import type { Cluster, Project } from '../domain/records.ts';
import type { ClusterOverview, Overview } from './contracts.ts';

const PROJECTS_AT_ONCE = 500;

export function createOverview(catalog: Pick<CatalogAggregates, 'overview' | 'clusters' | 'projects'>): Overview {
  return {
    async read() {
      const [clusters, totals, jobs, projects] = await Promise.all([
        catalog.clusters.ofProjects(null), catalog.overview.clusterTotals(), catalog.overview.jobCounts(), allProjects(catalog),
      ]);
      const totalsOf = new Map(totals.map((each) => [each.clusterId, each]));
      const nameOf = new Map(projects.map(({ id, name }) => [id, name]));
      return {
        clusters: clusters.map((cluster) => overviewOf(cluster, nameOf.get(cluster.projectId) ?? '', totalsOf.get(cluster.id))),
        jobs: jobs satisfies readonly JobCount[],
      };
    },
  };
}

function overviewOf(cluster: Cluster, projectName: string, totals: ClusterTotals | undefined): ClusterOverview {
  return {
    cluster,
    projectName,
    snapshots: totals?.snapshots ?? 0,
    storageSizeBytes: totals?.storageSizeBytes ?? null,
    dataSizeBytes: totals?.dataSizeBytes ?? null,
    recoveryPointAt: totals?.newestCapturedAt ?? null,
  };
}

async function allProjects(catalog: Pick<CatalogAggregates, 'projects'>): Promise<Project[]> {
  const found: Project[] = [];
  for (let pageNumber = 1; ; pageNumber += 1) {
    const { items, totalCount } = await catalog.projects.list({ orgIds: null, ids: null }, { pageNumber, itemsPerPage: PROJECTS_AT_ONCE });
    found.push(...items);
    if (items.length === 0 || found.length >= totalCount) return found;
  }
}
