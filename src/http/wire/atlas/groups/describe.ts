// Projects that are made, changed and ended, and what is around them, in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { hexId } from '../../shapes.ts';
import { group } from '../inventory/describe.ts';
import * as handlers from './handlers.ts';
import { createGroupBody, updateGroupBody } from './schemas.ts';
import * as surroundings from './surroundings.ts';

const nothing = { name: 'Nothing', schema: z.strictObject({}) };
const settings = {
  name: 'GroupSettings',
  schema: z.strictObject({
    isCollectDatabaseSpecificsStatisticsEnabled: z.boolean(), isDataExplorerEnabled: z.boolean(), isExtendedStorageSizesEnabled: z.boolean(), isPerformanceAdvisorEnabled: z.boolean(),
    isRealtimePerformancePanelEnabled: z.boolean(), isSchemaAdvisorEnabled: z.boolean(),
  }),
};
const addresses = {
  name: 'GroupIpAddresses',
  schema: z.strictObject({
    groupId: hexId, services: z.strictObject({ clusters: z.array(z.strictObject({ clusterName: z.string(), inbound: z.array(z.string()), outbound: z.array(z.string()) })) }),
  }),
};

export const GROUP_OPERATIONS: DescribedResource = {
  tag: 'Projects',
  operations: [
    [handlers.createGroup, { summary: 'Makes a project', query: { projectOwnerId: hexId }, body: { name: 'CreateGroup', schema: createGroupBody }, answer: { kind: 'one', of: group } }],
    [handlers.updateGroup, { summary: 'Changes a project; what is absent stays', body: { name: 'UpdateGroup', schema: updateGroupBody }, answer: { kind: 'one', of: group } }],
    [handlers.deleteGroup, { summary: 'Deletes a project without clusters and snapshots', answer: { kind: 'none' } }],
    [surroundings.listNothing, { summary: 'Lists what only the vendor\'s cloud has: there is nothing', answer: { kind: 'page', of: nothing } }],
    [surroundings.listLimits, { summary: 'Lists limits: there are none', answer: { kind: 'bare', of: nothing } }],
    [surroundings.getSettings, { summary: 'Tells what is offered around a project', answer: { kind: 'one', of: settings } }],
    [surroundings.getIpAddresses, { summary: 'Tells the addresses of the clusters\' hosts, where they are known by address', answer: { kind: 'one', of: addresses } }],
    [surroundings.getManagedSlowMs, { summary: 'Tells that slow operations are judged by each server', answer: { kind: 'one', of: { name: 'ManagedSlowMs', schema: z.boolean() } } }],
  ],
};
