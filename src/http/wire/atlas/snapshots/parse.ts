// Snapshot requests from Atlas's words to ours.
import type { Instant } from '../../../../domain/instant.ts';
import { retainedUntil, RETENTION_UNITS } from '../../../../domain/retention.ts';
import type { Snapshot } from '../../../../domain/records.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import { readBody } from '../../read-body.ts';
import { parameter, wholeNumber } from '../../read-query.ts';
import { MOST_RETENTION_DAYS, takeSnapshotBody, updateSnapshotBody } from './schemas.ts';

/** Kept when the request names no retention; the Atlas CLI always sends one (1 unless told). */
export const DEFAULT_RETENTION_DAYS = 7;
/** Of a cluster time. */
const LAST_SECOND = 0xff_ff_ff_ff;

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
 * The point in time that snapshots are asked for; null: for none.
 * @throws QUERY_INVALID: half a position of the oplog, or both forms
 */
export function parsePointInTimeFilter(query: unknown): Instant | null {
  const seconds = wholeNumber(query, 'pointInTimeUtcSeconds', 1, LAST_SECOND);
  const [t, i] = [wholeNumber(query, 'oplogTs', 1, LAST_SECOND), wholeNumber(query, 'oplogInc', 0, LAST_SECOND)];
  const name = seconds !== undefined && (t ?? i) !== undefined ? 'pointInTimeUtcSeconds' : t === undefined ? 'oplogInc' : 'oplogTs';
  if (t !== undefined && i !== undefined && seconds === undefined) return { border: { t, i } };
  if ((t ?? i) !== undefined) throw new LeafvaultError('QUERY_INVALID', 'Reading the query failed: a point in time is oplogTs with oplogInc, or pointInTimeUtcSeconds alone', { details: { name, value: parameter(query, name) } });
  return seconds === undefined ? null : { time: new Date(seconds * 1000) };
}
