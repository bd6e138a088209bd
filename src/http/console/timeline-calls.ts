// The time line at our own API: what happened where and when, and single operations.
import { LAST_INCREMENT, type ClusterTime } from '../../domain/cluster-time.ts';
import { borderOf } from '../../domain/instant.ts';
import type { Cluster } from '../../domain/records.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { TimelineQuery } from '../../services/contracts.ts';
import type { ProjectCall } from '../wire/mms-routes.ts';
import type { Answer } from '../wire/answer.ts';
import { parameter, wholeNumber } from '../wire/read-query.ts';
import { presentOperation, presentOperations, presentTimeline } from './present-timeline.ts';
import { clusterOf } from './cluster-of.ts';

const LIMIT = 100;
const MOST = 500;
/** In a list; one alone is shown up to the second. */
const LISTED_BYTES = 4 * 1024;
const SHOWN_BYTES = 1024 * 1024;
const KINDS = ['insert', 'update', 'delete', 'command'] as const;
/** With its zone: without one it would be the server's. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

export async function getTimeline(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const timeline = await call.services.timeline.read(cluster, { ...rangeOf(call.query), namespace: parameter(call.query, 'namespace'), threshold: wholeNumber(call.query, 'threshold', 1, 1e9) });
  return { kind: 'one', body: presentTimeline(timeline) };
}

export async function listOperations(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const page = await call.services.timeline.find(cluster, {
    ...rangeOf(call.query), filter: { namespace: parameter(call.query, 'namespace'), kind: kindOf(call.query), id: parameter(call.query, '_id') },
    after: afterOf(call.query), limit: wholeNumber(call.query, 'limit', 1, MOST) ?? LIMIT, bytesShown: LISTED_BYTES,
  });
  return { kind: 'one', body: presentOperations(page) };
}

/** `{position}`: `oplogTs-oplogInc`, in a transaction with the number of the operation behind it. */
export async function getOperation(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const text = call.params['position'] ?? '';
  const [position, number] = readPosition(text) ?? [null, null];
  if (position === null) throw malformed('position', text);
  const { operations } = await call.services.timeline.find(cluster, {
    from: position, to: position, filter: {}, after: number === null || number === 0 ? null : { position, number: number - 1 }, limit: 1, bytesShown: SHOWN_BYTES,
  });
  const [operation] = operations;
  if (operation === undefined || operation.number !== (number ?? 0)) throw notFound(cluster, text);
  return { kind: 'one', body: presentOperation(operation) };
}

/** Positions, or times: a time means what it means for a restore, so `to` is everything before its second. */
function rangeOf(query: unknown): Pick<TimelineQuery, 'from' | 'to'> {
  return { from: boundOf(query, 'from'), to: boundOf(query, 'to') };
}

function boundOf(query: unknown, name: 'from' | 'to'): ClusterTime | null {
  const text = parameter(query, name);
  if (text === undefined) return null;
  const [position, number] = readPosition(text) ?? [null, null];
  if (position !== null && number === null) return position;
  const time = ISO_TIME.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time) || time < 1000) throw malformed(name, text);
  return name === 'from' ? { t: Math.floor(time / 1000), i: 0 } : borderOf({ time: new Date(time) });
}

function afterOf(query: unknown): { readonly position: ClusterTime; readonly number: number } | null {
  const text = parameter(query, 'after');
  if (text === undefined) return null;
  const [position, number] = readPosition(text) ?? [null, null];
  if (position === null || number === null) throw malformed('after', text);
  return { position, number };
}

function readPosition(text: string): readonly [ClusterTime, number | null] | null {
  const [, t, i, number] = /^(\d{1,10})-(\d{1,10})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (t === undefined || i === undefined || Number(t) > LAST_INCREMENT || Number(i) > LAST_INCREMENT) return null;
  return [{ t: Number(t), i: Number(i) }, number === undefined ? null : Number(number)];
}

function kindOf(query: unknown): (typeof KINDS)[number] | undefined {
  const text = parameter(query, 'kind');
  const kind = KINDS.find((each) => each === text);
  if (text !== undefined && kind === undefined) throw new LeafvaultError('QUERY_INVALID', `Reading the query failed: kind must be ${KINDS.join(', ')}`, { details: { name: 'kind', value: text } });
  return kind;
}

function malformed(name: string, value: string): LeafvaultError {
  return new LeafvaultError('QUERY_INVALID', `Reading ${name} failed: it must be a position (oplogTs-oplogInc) or a time (2026-01-31T12:00:00Z)`, { details: { name, value } });
}

function notFound({ name }: Cluster, position: string): LeafvaultError {
  return new LeafvaultError('OPERATION_NOT_FOUND', `Reading the operation at ${position} of ${name} failed: there is none that is kept`, { details: { position }, hint: 'A transaction is found at its commit' });
}
