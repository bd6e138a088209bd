// Clusters that are registered, changed and ended, in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { count, hexId } from '../../shapes.ts';
import { cluster } from '../inventory/describe.ts';
import * as handlers from './handlers.ts';
import { createClusterBody, updateClusterBody } from './schemas.ts';

const short = z.strictObject({
  alertCount: count, authEnabled: z.boolean().optional(), backupEnabled: z.boolean(), clusterId: hexId, name: z.string(), nodeCount: count, sslEnabled: z.boolean().optional(), type: z.literal('REPLICA_SET'), versions: z.array(z.string()),
});
const groupOfClusters = {
  name: 'GroupOfClusters',
  schema: z.strictObject({
    clusters: z.array(short), groupId: hexId, groupName: z.string(), orgId: hexId, orgName: z.string(), planType: z.string(), tags: z.array(z.string()),
  }),
};

export const CLUSTER_OPERATIONS: DescribedResource = {
  tag: 'Clusters',
  operations: [
    [handlers.createCluster, {
      summary: 'Registers a cluster by its connection string, which the header Leafvault-Connection-String may hold instead', status: 201,
      body: { name: 'CreateCluster', schema: createClusterBody }, answer: { kind: 'one', of: cluster },
    }],
    [handlers.updateCluster, { summary: 'Changes a cluster; what is absent stays', body: { name: 'UpdateCluster', schema: updateClusterBody }, answer: { kind: 'one', of: cluster } }],
    [handlers.deleteCluster, { summary: 'Forgets a cluster, with its snapshots unless told', status: 202, query: { retainBackups: z.boolean() }, answer: { kind: 'none' } }],
    [handlers.listAllClusters, { summary: 'Lists the clusters of all projects that the credential may see', answer: { kind: 'page', of: groupOfClusters } }],
    [handlers.getProcessArgs, { summary: 'Tells settings of the servers: none is known', answer: { kind: 'one', of: { name: 'ProcessArgs', schema: z.strictObject({}) } } }],
  ],
};
