// The body of a restore at our own API: everything that a restore can be asked for.
import { z } from 'zod';
import type { ClusterTime } from '../../domain/cluster-time.ts';
import { DEPENDENTS_CHOICES, LEFT_OUT_KINDS, MOST_CHOICES, type LeaveOut } from '../../domain/leave-out.ts';
import { TIME_SERIES_CHOICES } from '../../domain/records.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Restores } from '../../services/contracts.ts';
import { readBody } from '../wire/read-body.ts';

const hexId = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 hex digits');
const uint = z.int().min(0).max(0xffff_ffff);
/** Positions can be sent back as they were told, with the date that is for people. */
const date = z.unknown().optional();
const position = z.strictObject({ oplogTs: uint, oplogInc: uint, date });
const names = z.array(z.string().min(1)).default([]);
const choice = z.strictObject({
  oplogTs: uint.optional(), oplogInc: uint.optional(), date, operation: uint.optional(),
  session: z.string().optional(),
  namespace: z.string().min(1).optional(), kind: z.enum(LEFT_OUT_KINDS).optional(),
  from: position.optional(), to: position.optional(),
});
const body = z.strictObject({
  snapshotId: hexId.optional(),
  instant: z.strictObject({ oplogTs: uint.optional(), oplogInc: uint.optional(), pointInTimeUTCSeconds: uint.optional(), date }).optional(),
  target: z.strictObject({ groupId: hexId, clusterId: hexId }).optional(),
  databases: names, collections: names,
  renames: z.array(z.strictObject({ from: z.string().min(1), to: z.string().min(1) })).default([]),
  indexStrategy: z.enum(['ALL', 'NONE', 'ALL_EXCEPT_TTL']).optional(),
  usersAndRoles: z.boolean().optional(),
  timeSeries: z.enum(TIME_SERIES_CHOICES).optional(),
  leaveOut: z.array(choice).max(MOST_CHOICES).default([]),
  dependents: z.enum(DEPENDENTS_CHOICES).default('refuse'),
});

type Order = Omit<Parameters<Restores['create']>[0], 'cluster' | 'principal' | 'target'> & { readonly target: { readonly projectId: string; readonly clusterId: string } | null };
type Given = z.output<typeof body>;

/** @throws the faults of the body, INSTANT_FORM, LEAVE_OUT_FORM */
export function readRestore(given: unknown): Order {
  const { snapshotId, instant, target, databases, collections, renames, indexStrategy, usersAndRoles, timeSeries, leaveOut, dependents } = readBody(body, given);
  if ((snapshotId === undefined) === (instant === undefined)) throw new LeafvaultError('INSTANT_FORM', 'Reading the body failed: it needs either snapshotId or instant');
  if (leaveOut.length > 0 && instant === undefined) throw leaveOutForm('it needs an instant, a snapshot is restored as it is');
  return {
    delivery: 'automated',
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(instant === undefined ? {} : { instant: instantOf(instant) }),
    ...(leaveOut.length === 0 ? {} : { leaveOut: { what: leaveOut.map(choiceOf), dependents } }),
    ...(databases.length + collections.length + renames.length === 0 ? {} : { selection: { databases, collections, renames } }),
    ...(indexStrategy === undefined ? {} : { indexStrategy }),
    ...(usersAndRoles === undefined ? {} : { usersAndRoles }),
    timeSeries,
    target: target === undefined ? null : { projectId: target.groupId, clusterId: target.clusterId },
  };
}

/** The body of an undo; none: the other side than now. */
export function readUndo(given: unknown): { readonly undone: boolean | undefined } {
  const { undone } = readBody(z.strictObject({ undone: z.boolean().optional() }), given ?? {});
  return { undone };
}

const abandoning = z.strictObject({ serversAreGone: z.boolean().refine((said) => said, 'has to be true') });

/** Somebody has to say it. @throws as `readBody` */
export function readAbandon(body: unknown): void {
  readBody(abandoning, body);
}

/** The vendor's doors read theirs alike, with codes of their own, and may change when the vendor does. */
function instantOf({ oplogTs, oplogInc, pointInTimeUTCSeconds: seconds }: NonNullable<Given['instant']>): NonNullable<Order['instant']> {
  if (oplogTs !== undefined && oplogInc !== undefined && seconds === undefined) return { border: { t: oplogTs, i: oplogInc } };
  if (oplogTs === undefined && oplogInc === undefined && seconds !== undefined) return { time: new Date(seconds * 1000) };
  throw new LeafvaultError('INSTANT_FORM', 'Reading the body failed: an instant is oplogTs with oplogInc, or pointInTimeUTCSeconds');
}

/** Which of the three forms it is: by the members that it has, and none besides. */
function choiceOf({ oplogTs, oplogInc, operation, session, namespace, kind, from, to }: Given['leaveOut'][number]): LeaveOut {
  const [isAt, isSession, isRange] = [oplogTs !== undefined || oplogInc !== undefined || operation !== undefined, session !== undefined, namespace !== undefined || kind !== undefined];
  if (isAt && !isSession && !isRange && from === undefined && to === undefined && oplogTs !== undefined && oplogInc !== undefined) {
    return { at: { t: oplogTs, i: oplogInc }, ...(operation === undefined ? {} : { operation }) };
  }
  if (session !== undefined && !isAt && !isRange) {
    return { session: sessionOf(session), ...(from === undefined ? {} : { from: timeOf(from) }), ...(to === undefined ? {} : { to: timeOf(to) }) };
  }
  if (namespace !== undefined && (namespace.includes('\0') || !namespace.isWellFormed())) throw leaveOutForm('a namespace holds what no name can');
  if (isRange && !isAt && !isSession && namespace !== undefined && kind !== undefined && from !== undefined && to !== undefined) {
    return { namespace, kind, from: timeOf(from), to: timeOf(to) };
  }
  throw leaveOutForm('each is {oplogTs, oplogInc, operation?}, {session, from?, to?} or {namespace, kind, from, to}');
}

function timeOf({ oplogTs, oplogInc }: z.output<typeof position>): ClusterTime {
  return { t: oplogTs, i: oplogInc };
}

/** A UUID with or without its dashes. */
function sessionOf(text: string): string {
  const hex = text.replaceAll('-', '').toLowerCase();
  if (/^[0-9a-f]{32}$/.test(hex)) return hex;
  throw leaveOutForm('a session is a UUID');
}

function leaveOutForm(why: string): LeafvaultError {
  return new LeafvaultError('LEAVE_OUT_FORM', `Reading leaveOut failed: ${why}`);
}
