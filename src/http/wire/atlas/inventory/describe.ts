// Organizations, groups and clusters in the document of the API.
import { z } from 'zod';
import type { DescribedResource, Named } from '../../describe.ts';
import { count, hexId, links, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';

const organization = { name: 'Organization', schema: z.strictObject({ id: hexId, isDeleted: z.boolean(), links, name: z.string(), skipDefaultAlertsSettings: z.boolean() }) };
const keyAndValue = z.array(z.strictObject({ key: z.string(), value: z.string() }));

export const group: Named = {
  name: 'Group',
  schema: z.strictObject({ clusterCount: count, created: time, id: hexId, links, name: z.string(), orgId: hexId, tags: keyAndValue, withDefaultAlertsSettings: z.boolean() }),
};

const middle = {
  backupEnabled: z.boolean(), biConnector: z.strictObject({ enabled: z.boolean(), readPreference: z.string() }), clusterType: z.literal('REPLICASET'),
  connectionStrings: z.strictObject({ standard: z.string() }), createDate: time, encryptionAtRestProvider: z.literal('NONE'), groupId: hexId, id: hexId, labels: keyAndValue, links,
  mongoDBMajorVersion: z.string().optional(), mongoDBVersion: z.string().optional(), name: z.string(), paused: z.boolean(), pitEnabled: z.boolean(), replicationSpecs: z.array(z.unknown()),
  rootCertType: z.string(), stateName: z.enum(['IDLE', 'DELETING']), tags: keyAndValue, terminationProtectionEnabled: z.boolean(), versionReleaseSystem: z.string(),
};
const oldest = {
  ...middle, autoScaling: z.strictObject({ compute: z.strictObject({ enabled: z.boolean(), scaleDownEnabled: z.boolean() }), diskGBEnabled: z.boolean() }), mongoURI: z.string(), mongoURIWithOptions: z.string(),
  numShards: z.int(), providerBackupEnabled: z.boolean(), replicationFactor: count,
};
const clusters = {
  oldest: { name: 'Cluster20230101', schema: z.strictObject(oldest) },
  middle: { name: 'Cluster20230201', schema: z.strictObject(middle) },
  newest: { name: 'Cluster20240805', schema: z.strictObject({ ...middle, redactClientLogData: z.boolean() }) },
};
/** The API without versions has the oldest form. */
export const cluster = (version: string): Named => (version < '2023-02-01' ? clusters.oldest : version < '2024-08-05' ? clusters.middle : clusters.newest);

export const INVENTORY: DescribedResource = {
  tag: 'Organizations, projects, clusters',
  operations: [
    [handlers.listOrganizations, { summary: 'Lists the organizations that the credential may see', query: { name: z.string() }, answer: { kind: 'page', of: organization } }],
    [handlers.getOrganization, { summary: 'Reads an organization', answer: { kind: 'one', of: organization } }],
    [handlers.listOrganizationGroups, { summary: 'Lists the projects of an organization', query: { name: z.string() }, answer: { kind: 'page', of: group } }],
    [handlers.listGroups, { summary: 'Lists the projects that the credential may see', answer: { kind: 'page', of: group } }],
    [handlers.getGroup, { summary: 'Reads a project', answer: { kind: 'one', of: group } }],
    [handlers.getGroupByName, { summary: 'Reads the project of that name', answer: { kind: 'one', of: group } }],
    [handlers.listClusters, { summary: 'Lists clusters; with those that are gone and whose snapshots are kept, when told', query: { includeDeletedWithRetainedBackups: z.boolean() }, answer: { kind: 'page', of: cluster } }],
    [handlers.getCluster, { summary: 'Reads a cluster', answer: { kind: 'one', of: cluster } }],
    [handlers.getClusterStatus, { summary: 'Tells whether changes of a cluster are pending', answer: { kind: 'one', of: { name: 'ClusterStatus', schema: z.strictObject({ changeStatus: z.enum(['APPLIED', 'PENDING']) }) } } }],
  ],
};
