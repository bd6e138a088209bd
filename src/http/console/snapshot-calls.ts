// Snapshots in our own API: what keeps each, pins and holds (docs/design/pins-and-holds.md).
import { z } from 'zod';
import type { KeepKind } from '../../domain/keeps.ts';
import type { Snapshot } from '../../domain/records.ts';
import type { Answer } from '../wire/answer.ts';
import type { ProjectCall } from '../wire/mms-routes.ts';
import { readBody } from '../wire/read-body.ts';
import { readId } from '../wire/read-id.ts';
import { clusterOf } from './cluster-of.ts';

const order = z.strictObject({ reason: z.string().optional() });

/** Newest first. */
export async function listSnapshots(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const page = call.page();
  const { items, totalCount } = await call.services.snapshots.list(cluster.id, page);
  return { kind: 'list', results: items.map(presentSnapshot), totalCount, page };
}

/** Answers the snapshot; without a body there is no reason. */
export const keepSnapshot = (kind: KeepKind) => async (call: ProjectCall): Promise<Answer> => {
  const cluster = await clusterOf(call);
  const { reason = null } = readBody(order, call.body ?? {});
  return { kind: 'one', body: presentSnapshot(await call.services.snapshots.keep({ cluster, id: snapshotIdOf(call), kind, reason, principal: call.principal })) };
};

/** Answers the snapshot. */
export const letGoOfSnapshot = (kind: KeepKind) => async (call: ProjectCall): Promise<Answer> => {
  const cluster = await clusterOf(call);
  return { kind: 'one', body: presentSnapshot(await call.services.snapshots.letGo({ cluster, id: snapshotIdOf(call), kind, principal: call.principal })) };
};

function snapshotIdOf({ params }: ProjectCall): string {
  return readId('snapshot', params['snapshotId']);
}

function presentSnapshot({ id, state, type, description, requestedAt, capturedAt, expiresAt, pin, hold, dataSizeBytes, storageSizeBytes, jobId }: Snapshot): object {
  return { id, state, type, description, requestedAt, capturedAt, expiresAt, pin, hold, dataSizeBytes, storageSizeBytes, jobId };
}
