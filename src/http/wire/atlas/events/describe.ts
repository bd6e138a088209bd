// Events in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { hexId, links, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';

const event = {
  name: 'Event',
  schema: z.strictObject({
    apiKeyId: z.string().optional(), clusterName: z.string().optional(), created: time, eventTypeName: z.string(), groupId: hexId.optional(), id: hexId, isGlobalAdmin: z.boolean(), links,
    orgId: hexId.optional(), publicKey: z.string().optional(), remoteAddress: z.string(), userId: z.string().optional(), username: z.string().optional(),
  }),
};
const types = z.array(z.string());

export const EVENT_OPERATIONS: DescribedResource = {
  tag: 'Events',
  operations: [
    [handlers.listEvents, {
      summary: 'Lists what was changed, newest first', query: { eventType: types, excludedEventType: types, minDate: z.string(), maxDate: z.string() }, answer: { kind: 'page', of: event },
    }],
    [handlers.getEvent, { summary: 'Reads an event', answer: { kind: 'one', of: event } }],
  ],
};
