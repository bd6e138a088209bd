// Requests about restore jobs and snapshots in the form of Ops Manager, which Atlas's legacy backup shares, to ours.
import type { z } from 'zod';
import type { Instant } from '../../../domain/instant.ts';
import type { Cluster, Snapshot } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { isId } from '../../../foundation/ids.ts';
import type { Restores } from '../../../services/contracts.ts';
import { readBody } from '../read-body.ts';
import { parameter } from '../read-query.ts';
import { createRestoreJobBody, updateSnapshotBody, isoTime } from './schemas.ts';

type Body = z.infer<typeof createRestoreJobBody>;
type Order = Omit<Parameters<Restores['create']>[0], 'cluster' | 'principal'>;

/** Of a cluster time. */
const LAST_SECOND = 0xff_ff_ff_ff;
const HOUR_MS = 3_600_000;
/** When a link's life is not told. */
const DEFAULT_EXPIRATION_HOURS = 24;
/** The docs require `maxDownloads`, mongocli leaves it out. */
const DEFAULT_MAX_DOWNLOADS = 1;

/**
 * Exactly one restore point: snapshotId, checkpointId, oplogTs with oplogInc, or pointInTimeUTCMillis.
 * @throws RESTORE_POINT_MISSING, RESTORE_POINT_AMBIGUOUS, METHOD_UNSUPPORTED, CHECKPOINT_NOT_FOUND, LINK_LIFE_AMBIGUOUS,
 *   TIMESTAMP_FRACTIONAL beside the faults of the body
 */
export function parseCreateRestoreJob(body: unknown, cluster: Cluster, now: Date): Order {
  const given = readBody(createRestoreJobBody, body);
  const { methodName } = given.delivery;
  if (methodName !== 'HTTP' && methodName !== 'AUTOMATED_RESTORE') {
    throw new LeafvaultError('METHOD_UNSUPPORTED', `Creating a restore job failed: delivery by ${methodName} is not supported`, { details: { methodName } });
  }
  const from = restorePointOf(given, cluster);
  if (methodName === 'HTTP') {
    const download = { expirationHours: lifeOf(given, now), maxDownloads: given.delivery.maxDownloads ?? DEFAULT_MAX_DOWNLOADS, readyAtOnce: false };
    return { ...from, delivery: 'download', download };
  }
  const projectId = requiredId(given.delivery.targetGroupId, 'delivery.targetGroupId');
  return { ...from, delivery: 'automated', target: { projectId, cluster: targetOf(given) } };
}

/** By id; where none is given, by name, as Atlas's legacy form may have it. */
function targetOf({ delivery: { targetClusterId, targetClusterName } }: Body): { readonly id: string } | { readonly name: string } {
  return targetClusterId === undefined && targetClusterName !== undefined ? { name: targetClusterName } : { id: requiredId(targetClusterId, 'delivery.targetClusterId') };
}

function restorePointOf(given: Body, cluster: Cluster): Pick<Order, 'snapshotId' | 'instant'> {
  const checkpointId = given.checkpointId ?? given.checkPointId;
  const points = [given.snapshotId, checkpointId, given.oplogTs ?? given.oplogInc, given.pointInTimeUTCMillis];
  const count = points.filter((each) => each !== undefined).length;
  if (count === 0) throw new LeafvaultError('RESTORE_POINT_MISSING', 'Creating a restore job failed: it names nothing to restore from');
  if (count > 1) throw new LeafvaultError('RESTORE_POINT_AMBIGUOUS', 'Creating a restore job failed: it names more than one restore point');
  if (given.snapshotId !== undefined) return { snapshotId: requiredId(given.snapshotId, 'snapshotId') };
  if (given.delivery.methodName === 'HTTP') throw missing('snapshotId');
  if (checkpointId !== undefined) {
    throw new LeafvaultError('CHECKPOINT_NOT_FOUND', `Creating a restore job failed: cluster ${cluster.name} has no checkpoints`, { details: { id: checkpointId, clusterId: cluster.id } });
  }
  return { instant: instantOf(given) };
}

function instantOf({ pointInTimeUTCMillis: timeMs, oplogTs, oplogInc }: Body): Instant {
  if (timeMs !== undefined) return { time: timeOf(timeMs) };
  if (oplogTs === undefined) throw missing('oplogTs');
  if (oplogInc === undefined) throw missing('oplogInc');
  const t = typeof oplogTs === 'number' ? oplogTs : oplogSeconds(oplogTs);
  if (t < 0 || t > LAST_SECOND) throw noOplogTime();
  if (Number.isInteger(t)) return { border: { t, i: oplogInc } };
  throw new LeafvaultError('TIMESTAMP_FRACTIONAL', 'Creating a restore job failed: oplogTs is no whole number of seconds', { details: { name: 'oplogTs' } });
}

function timeOf(ms: number): Date {
  const time = new Date(ms);
  if (!Number.isNaN(time.getTime())) return time;
  throw new LeafvaultError('ATTRIBUTE_INVALID', 'Creating a restore job failed: pointInTimeUTCMillis is no time', { details: { name: 'pointInTimeUTCMillis' } });
}

/** Epoch seconds, or an ISO date with its zone: without one it would be a time of this machine. @throws ATTRIBUTE_INVALID */
function oplogSeconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (isoTime.safeParse(text).success) return Date.parse(text) / 1000;
  throw noOplogTime();
}

function noOplogTime(): LeafvaultError {
  return new LeafvaultError('ATTRIBUTE_INVALID', 'Creating a restore job failed: oplogTs is no time of an oplog', { details: { name: 'oplogTs' } });
}

function lifeOf({ delivery }: Body, now: Date): number {
  if (delivery.expires === undefined) return delivery.expirationHours ?? DEFAULT_EXPIRATION_HOURS;
  if (delivery.expirationHours !== undefined) throw new LeafvaultError('LINK_LIFE_AMBIGUOUS', 'Creating a restore job failed: expires and expirationHours exclude each other');
  const hours = (Date.parse(delivery.expires) - now.getTime()) / HOUR_MS;
  if (hours > 0) return hours;
  throw new LeafvaultError('ATTRIBUTE_INVALID', 'Creating a restore job failed: delivery.expires lies in the past', { details: { name: 'delivery.expires' } });
}

function requiredId(value: string | undefined, name: string): string {
  if (value === undefined) throw missing(name);
  if (isId(value)) return value;
  throw new LeafvaultError('ATTRIBUTE_INVALID', `Reading the body failed: attribute ${name} is not 24 hex digits`, { details: { name } });
}

function missing(name: string): LeafvaultError {
  return new LeafvaultError('ATTRIBUTE_MISSING', `Reading the body failed: attribute ${name} is required`, { details: { name } });
}

/** Before there were pins `doNotDelete` kept a snapshot for a century from its capture. */
const FOREVER_DAYS = 36_500;
const DAY_MS = 24 * HOUR_MS;

/**
 * Either `doNotDelete`, which is a pin, or `expires`; a time in the past deletes the snapshot. To take away a pin that is not there changes nothing.
 * @throws SNAPSHOT_CHANGE_AMBIGUOUS, SNAPSHOT_CHANGE_MISSING, SNAPSHOT_UNFINISHED (completion sets the expiry, a change before
 *   it would be lost), SNAPSHOT_OVER beside the faults of the body
 */
export function parseUpdateSnapshot(body: unknown, snapshot: Snapshot, now: Date): { readonly expiresAt: Date } | { readonly deleteNow: true } | { readonly pinned: boolean } {
  const { doNotDelete, expires } = readBody(updateSnapshotBody, body);
  if (doNotDelete !== undefined && expires !== undefined) {
    throw new LeafvaultError('SNAPSHOT_CHANGE_AMBIGUOUS', 'Changing a snapshot failed: doNotDelete and expires exclude each other');
  }
  if (expires !== undefined) {
    const expiresAt = new Date(expires);
    if (expiresAt <= now) return { deleteNow: true };
    requireChangeable(snapshot, now);
    return { expiresAt };
  }
  if (doNotDelete === undefined) throw new LeafvaultError('SNAPSHOT_CHANGE_MISSING', 'Changing a snapshot failed: neither doNotDelete nor expires is given');
  requireChangeable(snapshot, now);
  if (doNotDelete || snapshot.pin !== null || !isForCentury(snapshot)) return { pinned: doNotDelete };
  const counted = (snapshot.capturedAt ?? snapshot.requestedAt).getTime() + snapshot.retentionDays * DAY_MS;
  return { expiresAt: new Date(Math.max(counted, now.getTime() + DAY_MS)) };
}

function requireChangeable({ id, state, expiresAt, pin, hold }: Snapshot, now: Date): void {
  if (state !== 'completed') throw new LeafvaultError('SNAPSHOT_UNFINISHED', `Changing snapshot ${id} failed: it is ${state}`, { details: { id } });
  if (expiresAt <= now && pin === null && hold === null) throw new LeafvaultError('SNAPSHOT_OVER', `Changing snapshot ${id} failed: it has expired`, { details: { id } });
}

/** Kept for good in the way of before there were pins. */
export function isForCentury({ capturedAt, requestedAt, expiresAt }: Snapshot): boolean {
  return expiresAt.getTime() - (capturedAt ?? requestedAt).getTime() >= FOREVER_DAYS * DAY_MS;
}

/** Jobs of a batch are those of a sharded cluster's shards; none here belongs to one, so a list of one is empty. */
export function asksForBatch(query: unknown): boolean {
  return parameter(query, 'batchId') !== undefined || parameter(query, 'batchid') !== undefined;
}

/** `completed`: true (only whole ones, the default), false (only others) or all. @throws QUERY_INVALID */
export function parseCompleted(query: unknown): 'whole' | 'partial' | 'all' {
  const value = parameter(query, 'completed')?.toLowerCase() ?? 'true';
  if (value === 'true') return 'whole';
  if (value === 'false') return 'partial';
  if (value === 'all') return 'all';
  throw new LeafvaultError('QUERY_INVALID', 'Reading the query failed: completed must be true, false or all', { details: { name: 'completed', value } });
}
