// Cloud backup snapshots in the document of the API.
import { z } from 'zod';
import { FREQUENCIES } from '../../../../domain/retention.ts';
import type { DescribedResource } from '../../describe.ts';
import { count, hexId, links, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';
import { takeSnapshotBody, updateSnapshotBody } from './schemas.ts';

const plain = {
  createdAt: time.optional(),
  description: z.string().optional(),
  expiresAt: time,
  frequencyType: z.enum([...FREQUENCIES, 'ondemand']).optional(),
  id: hexId,
  links,
  mongodVersion: z.string().optional(),
  policyItems: z.array(hexId),
  snapshotType: z.enum(['onDemand', 'scheduled']),
  status: z.enum(['queued', 'inProgress', 'completed', 'failed']),
  storageSizeBytes: count,
  type: z.literal('replicaSet'),
};
const snapshot = { name: 'Snapshot', schema: z.strictObject({ ...plain, copyRegions: z.array(z.string()), replicaSetName: z.string() }) };
const sharded = { name: 'ShardedSnapshot', schema: z.strictObject({ ...plain, members: z.array(z.unknown()), snapshotIds: z.array(hexId) }) };
const seconds = z.int().min(1).max(0xff_ff_ff_ff);

export const SNAPSHOTS: DescribedResource = {
  tag: 'Snapshots',
  operations: [
    [handlers.takeSnapshot, { summary: 'Asks for a snapshot', body: { name: 'TakeSnapshot', schema: takeSnapshotBody }, answer: { kind: 'one', of: snapshot } }],
    [handlers.listSnapshots, {
      summary: 'Lists snapshots, newest first; with a point in time, the one that a restore to it begins with',
      query: { pointInTimeUtcSeconds: seconds, oplogTs: seconds, oplogInc: z.int().min(0).max(0xff_ff_ff_ff) },
      answer: { kind: 'page', of: snapshot },
    }],
    [handlers.getSnapshot, { summary: 'Reads a snapshot', answer: { kind: 'one', of: snapshot } }],
    [handlers.updateSnapshot, { summary: 'Changes how long a snapshot is kept, counted from its instant', body: { name: 'UpdateSnapshot', schema: updateSnapshotBody }, answer: { kind: 'one', of: snapshot } }],
    [handlers.deleteSnapshot, { summary: 'Deletes a snapshot; one that is being taken is cancelled', answer: { kind: 'none' } }],
    [handlers.listShardedSnapshots, { summary: 'Lists snapshots of sharded clusters: there are none', answer: { kind: 'list', of: sharded } }],
    [handlers.getShardedSnapshot, { summary: 'Reads a snapshot in the form of a sharded cluster', answer: { kind: 'one', of: sharded } }],
  ],
};
