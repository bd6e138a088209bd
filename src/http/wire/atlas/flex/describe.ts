// The flex view in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { listFlexClusters, refuseFlex } from '../inventory/handlers.ts';
import { restoreMembers } from '../tenant/describe.ts';
import * as handlers from './handlers.ts';
import { flexDownloadBody, flexRestoreBody } from './schemas.ts';

const restore = { name: 'FlexRestore', schema: z.strictObject({ ...restoreMembers, instanceName: z.string() }) };

export const FLEX_OPERATIONS: DescribedResource = {
  tag: 'Flex',
  operations: [
    [listFlexClusters, { summary: 'Lists flex clusters: there are none', answer: { kind: 'page', of: { name: 'FlexCluster', schema: z.strictObject({}) } } }],
    [refuseFlex, { summary: 'Refuses: no cluster is flex', answer: { kind: 'refusal' } }],
    [handlers.createFlexRestoreJob, { summary: 'Restores a snapshot', body: { name: 'CreateFlexRestore', schema: flexRestoreBody }, answer: { kind: 'one', of: restore } }],
    [handlers.getFlexRestoreJob, { summary: 'Reads a restore that was asked for in this form, refuses any other', answer: { kind: 'one', of: restore } }],
    [handlers.downloadFlexSnapshot, { summary: 'Gives the address of a snapshot\'s archive at once', body: { name: 'DownloadFlexSnapshot', schema: flexDownloadBody }, answer: { kind: 'one', of: restore } }],
  ],
};
