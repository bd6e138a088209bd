// How much happened where and when, and what of it looks like a mistake.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { Mark, MinuteCount, TimelinePart, TimelineRange, WriteKind } from '../../domain/timeline.ts';
import { namespaceOf, type CommandOp, type OplogOp } from '../backup/oplog/oplog-entry.ts';
import type { KeptInstant } from '../contracts.ts';
import { createCommandMarks } from './command-marks.ts';
import { isOfDrill, isWithin } from './find-operations.ts';
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

/** Once one of them is reached, reading ends with its minute, unless a burst is going on then; at HARD times as much it ends at once. */
export interface TimelineLimits {
  /** Of operations. */
  readonly bytes: number;
  /** Namespaces times minutes. */
  readonly counts: number;
  readonly marks: number;
}

type Tally = Record<WriteKind | 'command', number> & { bytes: number };

interface Gathered {
  readonly tallies: Map<string, Tally>;
  readonly commands: { readonly op: CommandOp; readonly number: number }[];
  /** Databases that were written to, those that were not asked for included. */
  readonly written: Set<string>;
  bytes: number;
}

const LIMITS: TimelineLimits = { bytes: 1024 * 1024 * 1024, counts: 10_000, marks: 1_000 };
const HARD = 4;

/** @throws what `walkOperations` throws */
export async function readTimeline({ slices, from, to, namespace, threshold, signal, limits }: ReadTimelineOptions): Promise<TimelinePart> {
  const most = { ...LIMITS, ...limits };
  const counts = new Map<string, { namespace: string; minute: number } & Tally>();
  const [mass, commands] = [createMassMarks(threshold), createCommandMarks()];
  let [bytes, partial, minute] = [0, 0, 0];
  let readTo: ClusterTime | null = null;
  const isFull = (times: number): boolean => bytes >= most.bytes * times || counts.size >= most.counts * times || commands.count >= most.marks * times;

  const countAll = ({ tallies, commands: met, written, bytes: added }: Gathered, at: Counting): void => {
    bytes += added;
    if (at.partial && tallies.size + met.length > 0) partial += 1;
    for (const db of written) commands.written(db);
    for (const [name, tally] of tallies) {
      addTo(counts, { namespace: name, minute: minute * MINUTE_SECONDS }, tally);
      for (const kind of ['update', 'delete'] as const) mass.add(name, kind, { count: tally[kind], time: at.time, justBefore: at.justBefore });
    }
    for (const { op, number } of met) commands.add(op, number, at);
  };
  await walkOperations<Gathered>({
    slices, from, to, signal,
    gathering: {
      begin: () => ({ tallies: new Map(), commands: [], written: new Set(), bytes: 0 }),
      add: (into, op, number) => gather(into, op, number, namespace),
      count(gathered, at) {
        const now = Math.floor(at.time.t / MINUTE_SECONDS);
        const isOver = isFull(HARD) || (now !== minute && isFull(1) && !mass.isOpenAt(at.time.t));
        if (isOver && minute !== 0) {
          readTo = at.justBefore;
          return true;
        }
        minute = now;
        countAll(gathered, at);
        return false;
      },
    },
  });
  const marks = [...mass.finish(), ...commands.finish()].filter((mark) => namespace === undefined || concerns(mark, namespace));
  return { counts: [...counts.values()].sort(byMinute), marks: marks.sort((a, b) => a.first.t - b.first.t || a.first.i - b.first.i), partial, readTo };
}

function gather(into: Gathered, op: OplogOp, number: number, namespace: string | undefined): void {
  into.bytes += op.object.length;
  if (isOfDrill(namespaceOf(op), namespace)) return;
  const db = op.kind === 'command' ? op.db : databaseOf(op.namespace);
  // What happens beside a collection in its database tells drops of it from drops of the whole.
  const isNear = namespace === undefined || databaseOf(namespace) === db;
  if (op.kind !== 'command' && isNear) into.written.add(db);
  if (op.kind === 'command' && isNear) into.commands.push({ op, number });
  const name = namespaceOf(op);
  if (namespace !== undefined && !isWithin(name, namespace)) return;
  const tally = into.tallies.get(name) ?? { insert: 0, update: 0, delete: 0, command: 0, bytes: 0 };
  tally[op.kind] += 1;
  tally.bytes += op.object.length;
  into.tallies.set(name, tally);
}

/** Also a drop of the whole database, and a rename onto the collection. */
function concerns(mark: Mark, namespace: string): boolean {
  return isWithin(mark.namespace, namespace) || isWithin(namespace, mark.namespace) || mark.to === namespace;
}

function databaseOf(namespace: string): string {
  return namespace.split('.', 1)[0] ?? '';
}

function addTo(counts: Map<string, { namespace: string; minute: number } & Tally>, { namespace, minute }: Pick<MinuteCount, 'namespace' | 'minute'>, tally: Tally): void {
  const key = `${minute} ${namespace}`;
  const known = counts.get(key) ?? { namespace, minute, insert: 0, update: 0, delete: 0, command: 0, bytes: 0 };
  for (const what of ['insert', 'update', 'delete', 'command', 'bytes'] as const) known[what] += tally[what];
  counts.set(key, known);
}

function byMinute(a: MinuteCount, b: MinuteCount): number {
  return a.minute - b.minute || (a.namespace < b.namespace ? -1 : 1);
}
