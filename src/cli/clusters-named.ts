// The clusters that a `--cluster` flag means.
import type { openCatalogOf } from '../app.ts';
import { LeafvaultError } from '../foundation/errors.ts';

type Catalog = Awaited<ReturnType<typeof openCatalogOf>>;

/** @param name null: all @param doing `Listing the jobs`, for people @throws CLI_CLUSTER_UNKNOWN */
export async function clustersNamed({ clusters }: Pick<Catalog, 'clusters'>, name: string | null, doing: string): ReturnType<Catalog['clusters']['ofProjects']> {
  const all = await clusters.ofProjects(null);
  const chosen = name === null ? all : all.filter((each) => each.name === name);
  if (name === null || chosen.length > 0) return chosen;
  throw new LeafvaultError('CLI_CLUSTER_UNKNOWN', `${doing} of cluster ${name} failed: there is no cluster of that name`, {
    details: { name }, hint: all.length === 0 ? 'There is no cluster yet' : `There are: ${[...new Set(all.map((each) => each.name))].join(', ')}`,
  });
}
