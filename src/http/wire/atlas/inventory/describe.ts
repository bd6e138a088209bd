// Organizations, groups and clusters in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { count, hexId, links, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';

const organization = { name: 'Organization', schema: z.looseObject({ id: hexId, isDeleted: z.boolean(), links, name: z.string() }) };
const group = { name: 'Group', schema: z.looseObject({ clusterCount: count, created: time, id: hexId, links, name: z.string(), orgId: hexId }) };
const cluster = {
  name: 'Cluster',
  schema: z.looseObject({
    backupEnabled: z.boolean(), connectionStrings: z.looseObject({ standard: z.string() }), createDate: time, groupId: hexId, id: hexId, links, name: z.string(), pitEnabled: z.boolean(), stateName: z.string(),
  }),
};

export const INVENTORY: DescribedResource = {
  tag: 'Organizations, projects, clusters',
  operations: [
    [handlers.listOrganizations, { summary: 'Lists the organizations that the credential may see', answer: { kind: 'page', of: organization } }],
    [handlers.getOrganization, { summary: 'Reads an organization', answer: { kind: 'one', of: organization } }],
    [handlers.listOrganizationGroups, { summary: 'Lists the projects of an organization', query: { name: z.string() }, answer: { kind: 'page', of: group } }],
    [handlers.listGroups, { summary: 'Lists the projects that the credential may see', answer: { kind: 'page', of: group } }],
    [handlers.getGroup, { summary: 'Reads a project', answer: { kind: 'one', of: group } }],
    [handlers.getGroupByName, { summary: 'Reads the project of that name', answer: { kind: 'one', of: group } }],
    [handlers.listClusters, { summary: 'Lists clusters', answer: { kind: 'page', of: cluster } }],
    [handlers.getCluster, { summary: 'Reads a cluster', answer: { kind: 'one', of: cluster } }],
    [handlers.getClusterStatus, { summary: 'Tells whether changes of a cluster are pending', answer: { kind: 'one', of: { name: 'ClusterStatus', schema: z.strictObject({ changeStatus: z.enum(['APPLIED', 'PENDING']) }) } } }],
  ],
};
