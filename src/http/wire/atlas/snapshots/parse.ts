// Snapshot requests from Atlas's words to ours.
import { retainedUntil, RETENTION_UNITS } from '../../../../domain/retention.ts';
import type { Snapshot } from '../../../../domain/records.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import { readBody } from '../../read-body.ts';
import { parameter } from '../../read-query.ts';
import { MOST_RETENTION_DAYS, takeSnapshotBody, updateSnapshotBody } from './schemas.ts';

/** Kept when the request names no retention; the Atlas CLI always sends one (1 unless told). */
export const DEFAULT_RETENTION_DAYS = 7;

export function parseTakeSnapshot(body: unknown): { readonly description: string | null; readonly retentionDays: number; readonly isRetentionAsked: boolean } {
  const given = readBody(takeSnapshotBody, body);
  return { description: given.description ?? null, retentionDays: given.retentionInDays ?? DEFAULT_RETENTION_DAYS, isRetentionAsked: given.retentionInDays !== undefined };
}

/**
 * The new expiry, counted from the capture; months and years by the calendar.
 * @throws SNAPSHOT_UNFINISHED: completion sets the expiry, a change before it would be lost
 */
export function parseUpdateSnapshot(body: unknown, snapshot: Snapshot): Date {
  const { retentionUnit, retentionValue } = readBody(updateSnapshotBody, body);
  if (snapshot.state !== 'completed') throw new LeafvaultError('SNAPSHOT_UNFINISHED', `Changing the retention of snapshot ${snapshot.id} failed: it is ${snapshot.state}`, { details: { id: snapshot.id } });
  const unit = RETENTION_UNITS.find((each) => each.toUpperCase() === retentionUnit) ?? 'days';
  const expiry = retainedUntil(snapshot.capturedAt ?? snapshot.requestedAt, { retentionUnit: unit, retentionValue });
  if (isWithinLimit(expiry, snapshot.requestedAt)) return expiry;
  throw new LeafvaultError('ATTRIBUTE_INVALID', `Reading the body failed: attribute retentionValue reaches beyond ${MOST_RETENTION_DAYS} days`, { details: { name: 'retentionValue' } });
}

function isWithinLimit(expiry: Date, from: Date): boolean {
  return expiry.getTime() - from.getTime() <= (MOST_RETENTION_DAYS + 1) * 86_400_000;
}

/**
 * Filters that choose snapshots for a point in time: without continuous backup there is none to choose for, and a list
 * that ignores them would mislead.
 * @throws QUERY_INVALID
 */
export function refusePointInTimeFilters(query: unknown): void {
  const name = ['pointInTimeUtcSeconds', 'oplogTs', 'oplogInc'].find((each) => parameter(query, each) !== undefined);
  if (name !== undefined) throw new LeafvaultError('QUERY_INVALID', `Reading the query failed: ${name} needs continuous backup`, { details: { name, value: parameter(query, name) } });
}
