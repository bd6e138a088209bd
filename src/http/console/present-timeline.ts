// The time line as JSON. Every position comes as a restore takes it, with its second for people.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { LeaveOut } from '../../domain/leave-out.ts';
import type { Mark, OperationView } from '../../domain/timeline.ts';
import type { Restorable, Timeline } from '../../services/contracts.ts';
import { isoSeconds } from '../wire/time-text.ts';
import { presentBorder } from './present-continuous.ts';

export function presentTimeline({ from, to, counts, marks, partialTransactions, continueFrom }: Awaited<ReturnType<Timeline['read']>>): object {
  return {
    from: presentBorder(from), to: presentBorder(to),
    complete: continueFrom === null,
    continueFrom: continueFrom === null ? null : positionText(continueFrom),
    partialTransactions,
    marks: marks.map(presentMark),
    counts: counts.map(({ minute, ...rest }) => ({ minute: isoSeconds(new Date(minute * 1000)), ...rest })),
  };
}

export function presentOperations({ operations, next }: Awaited<ReturnType<Timeline['find']>>): object {
  return { operations: operations.map(presentOperation), next: next === null ? null : `${positionText(next.position)}-${next.number}` };
}

export function presentOperation({ position, number, justBefore, restorable, reason, session, ofTransaction, ...rest }: OperationView & Restorable): object {
  const isAlone = ofTransaction === null;
  return {
    position: isAlone ? positionText(position) : `${positionText(position)}-${number}`,
    ...presentBorder(position), ...rest,
    session: session === null ? null : uuidText(session),
    transaction: isAlone ? null : { operation: number, operations: ofTransaction },
    justBefore: presentBorder(justBefore), restorable, ...(reason === null ? {} : { reason }),
    leaveOut: presentLeaveOut({ at: position, ...(isAlone ? {} : { operation: number }) }),
  };
}

function presentMark(mark: Mark & Restorable): object {
  const { kind, namespace, to, count, first, last, justBefore, restorable, reason, leaveOut } = mark;
  return {
    kind, namespace, ...(to === null ? {} : { to }), count, words: inWords(mark),
    first: presentBorder(first), last: presentBorder(last),
    justBefore: presentBorder(justBefore), restorable, ...(reason === null ? {} : { reason }),
    leaveOut: presentLeaveOut(leaveOut),
  };
}

function inWords({ kind, namespace, to, count, first, last }: Mark): string {
  const [from, until] = [first, last].map(({ t }) => isoSeconds(new Date(t * 1000)));
  const when = from === until ? `at ${from}` : `from ${from} to ${until}`;
  const number = count.toLocaleString('en');
  switch (kind) {
    case 'massDelete': return `${number} documents of ${namespace} were deleted ${when}`;
    case 'massUpdate': return `${number} updates of ${namespace} ${when}`;
    case 'drop': return `${namespace} was dropped ${when}`;
    case 'dropDatabase': return `the database ${namespace} was dropped with ${number} collections ${when}`;
    case 'rename': return `${namespace} was renamed to ${to ?? ''} ${when}`;
    case 'dropIndexes': return `indexes of ${namespace} were dropped ${when}`;
    case 'collMod': return `options or an index of ${namespace} were changed ${when}`;
  }
}

/** As the body of a restore takes it. */
function presentLeaveOut(choice: LeaveOut): object {
  const position = ({ t, i }: ClusterTime): object => ({ oplogTs: t, oplogInc: i });
  if ('at' in choice) return { ...position(choice.at), ...(choice.operation === undefined ? {} : { operation: choice.operation }) };
  const range = { ...(choice.from === undefined ? {} : { from: position(choice.from) }), ...(choice.to === undefined ? {} : { to: position(choice.to) }) };
  return 'session' in choice ? { session: uuidText(choice.session), ...range } : { namespace: choice.namespace, kind: choice.kind, ...range };
}

function positionText({ t, i }: ClusterTime): string {
  return `${t}-${i}`;
}

function uuidText(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
