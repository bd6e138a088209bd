// What Atlas says of itself, in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { hexId, links } from '../../shapes.ts';
import { roleAssignment } from '../credentials/describe.ts';
import * as handlers from './handlers.ts';

const ownKey = z.strictObject({
  accessList: z.array(z.strictObject({ cidrBlock: z.string(), ipAddress: z.string() })), id: hexId, publicKey: z.string(), roles: z.array(roleAssignment),
});
const status = {
  name: 'SystemStatus',
  schema: z.strictObject({ apiKey: ownKey.optional(), appName: z.string(), build: z.string(), links, throttling: z.boolean() }),
};
const amount = z.strictObject({ defaultValue: z.int(), value: z.int() });
const endpointSet = {
  name: 'EndpointSet',
  schema: z.strictObject({
    capacity: amount, endpointSetId: z.string(), endpointSetName: z.string(), endpoints: z.array(z.strictObject({ method: z.string(), path: z.string() })),
    refillDurationSeconds: amount, refillRate: amount, scope: z.literal('USER'),
  }),
};

export const SYSTEM_OPERATIONS: DescribedResource = {
  tag: 'System',
  operations: [
    [handlers.getSystemStatus, { summary: 'Tells which Leafvault answers, and of the API key that asks', answer: { kind: 'one', of: status } }],
    [handlers.listRateLimits, { summary: 'Lists rate limits: there is one for everything', answer: { kind: 'page', of: endpointSet } }],
    [handlers.getRateLimit, { summary: 'Reads a rate limit', answer: { kind: 'one', of: endpointSet } }],
  ],
};
