// The cluster that a path names.
import type { Cluster } from '../../domain/records.ts';
import type { ProjectCall } from '../wire/mms-routes.ts';
import { readId } from '../wire/read-id.ts';

/** @throws ID_MALFORMED, CLUSTER_NOT_FOUND */
export async function clusterOf({ services, project, params }: ProjectCall): Promise<Cluster> {
  return services.inventory.clusterById(project.id, readId('cluster', params['clusterId']));
}
