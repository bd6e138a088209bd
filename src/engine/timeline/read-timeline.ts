// How much happened where and when, and what of it looks like a mistake.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { MinuteCount, TimelinePart, TimelineRange, WriteKind } from '../../domain/timeline.ts';
import type { CommandOp, OplogOp } from '../backup/oplog/oplog-entry.ts';
import type { KeptInstant } from '../contracts.ts';
import { aboutCommand, createCommandMarks } from './command-marks.ts';
import { isWithin } from './find-operations.ts';
import { createMassMarks, MINUTE_SECONDS } from './mass-marks.ts';
import { walkOperations, type Counting } from './walk-operations.ts';

export interface ReadTimelineOptions extends TimelineRange {
  readonly slices: KeptInstant['slices'];
  /** `db.collection` or a database; absent: everything. */
  readonly namespace?: string | undefined;
  /** From how many operations on deletes and updates are marked. */
  readonly threshold: number;
  readonly signal: AbortSignal;
  readonly limits?: Partial<TimelineLimits>;
}

/** Once one of them is reached, reading ends with its minute; whoever asked goes on from there. */
export interface TimelineLimits {
  /** Of operations. */
  readonly bytes: number;
  /** Namespaces times minutes. */
  readonly counts: number;
  readonly marks: number;
}

type Tally = Record<WriteKind, number> & { bytes: number };

interface Gathered {
  readonly tallies: Map<string, Tally>;
  readonly commands: { readonly op: CommandOp; readonly number: number }[];
  bytes: number;
}

const LIMITS: TimelineLimits = { bytes: 1024 * 1024 * 1024, counts: 10_000, marks: 1_000 };

/** @throws what `walkOperations` throws */
export async function readTimeline({ slices, from, to, namespace, threshold, signal, limits }: ReadTimelineOptions): Promise<TimelinePart> {
  const most = { ...LIMITS, ...limits };
  const counts = new Map<string, { namespace: string; minute: number } & Tally>();
  const [mass, commands] = [createMassMarks(threshold), createCommandMarks()];
  let [bytes, partial, minute] = [0, 0, 0];
  let readTo: ClusterTime | null = null;
  const isFull = (): boolean => bytes >= most.bytes || counts.size >= most.counts || commands.count >= most.marks;

  const countAll = ({ tallies, commands: met, bytes: added }: Gathered, at: Counting): void => {
    bytes += added;
    if (at.partial) partial += 1;
    for (const [name, tally] of tallies) {
      addTo(counts, { namespace: name, minute: minute * MINUTE_SECONDS }, tally);
      commands.written(name.slice(0, name.indexOf('.')));
      for (const kind of ['update', 'delete'] as const) mass.add(name, kind, { count: tally[kind], time: at.time, justBefore: at.justBefore });
    }
    for (const { op, number } of met) commands.add(op, number, at);
  };
  await walkOperations<Gathered>({
    slices, from, to, signal,
    gathering: {
      begin: () => ({ tallies: new Map(), commands: [], bytes: 0 }),
      add: (into, op, number) => gather(into, op, number, namespace),
      count(gathered, at) {
        const now = Math.floor(at.time.t / MINUTE_SECONDS);
        if (now !== minute && isFull()) {
          readTo = at.justBefore;
          return true;
        }
        minute = now;
        countAll(gathered, at);
        return false;
      },
    },
  });
  const marks = [...mass.finish(), ...commands.finish()].sort((a, b) => a.first.t - b.first.t || a.first.i - b.first.i);
  return { counts: [...counts.values()].sort(byMinute), marks, partial, readTo };
}

function gather(into: Gathered, op: OplogOp, number: number, namespace: string | undefined): void {
  into.bytes += op.object.length;
  if (op.kind === 'command') {
    if (namespace === undefined || concerns(op, namespace)) into.commands.push({ op, number });
    return;
  }
  if (namespace !== undefined && !isWithin(op.namespace, namespace)) return;
  const tally = into.tallies.get(op.namespace) ?? { insert: 0, update: 0, delete: 0, bytes: 0 };
  tally[op.kind] += 1;
  tally.bytes += op.object.length;
  into.tallies.set(op.namespace, tally);
}

/** Also a drop of the whole database, and a rename onto the collection. */
function concerns(op: CommandOp, namespace: string): boolean {
  const about = aboutCommand(op);
  return about !== null && (isWithin(about.namespace, namespace) || isWithin(namespace, about.namespace) || about.to === namespace);
}

function addTo(counts: Map<string, { namespace: string; minute: number } & Tally>, { namespace, minute }: Pick<MinuteCount, 'namespace' | 'minute'>, tally: Tally): void {
  const key = `${minute} ${namespace}`;
  const known = counts.get(key) ?? { namespace, minute, insert: 0, update: 0, delete: 0, bytes: 0 };
  for (const what of ['insert', 'update', 'delete', 'bytes'] as const) known[what] += tally[what];
  counts.set(key, known);
}

function byMinute(a: MinuteCount, b: MinuteCount): number {
  return a.minute - b.minute || (a.namespace < b.namespace ? -1 : 1);
}
