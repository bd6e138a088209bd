// Whose sessions in the repository these are, and whether their owner is gone: what a prune has to know before it ends one.
import type { WorkerProcess } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import type { OpenSession } from '../repository/repository.ts';
import { isDead, thisProcess } from './process-identity.ts';

type Owner = Pick<WorkerProcess, 'host' | 'pid' | 'processStart'>;

/** For `OpenOptions.owner`: says which process it is, on which machine. */
export async function sessionOwner(): Promise<string> {
  const { host, pid, processStart } = await thisProcess();
  return JSON.stringify({ host, pid, processStart } satisfies Owner);
}

/** For `afterMs` of workers: longer than any command that is no worker takes. */
export const SESSION_ENDS_AFTER_MS = 24 * 3_600_000;

const FORGOTTEN_AFTER_MS = 90 * SESSION_ENDS_AFTER_MS;

interface GoneOptions {
  readonly clock: Clock;
  /** Workers that were heard of; default: none is known. */
  readonly workers?: () => Promise<readonly Owner[]>;
  /** A session of whose owner nothing is known is over after this; null: never. */
  readonly afterMs: number | null;
  /** `seen`, the default: since this process saw it first, by a clock that only grows. `created`: since the instant that its owner's clock wrote, for a person who says so. */
  readonly since?: 'seen' | 'created';
}

/** Of sessions whose owners nothing is known of, when this process saw each first and last. A session is written once, so it stays the same one. */
const seenBy = new WeakMap<Clock, Map<string, { readonly first: number; last: number }>>();

/** For `PruneOptions.isOver`. A process of this machine is asked for, a worker that is heard of is at work however long it takes. */
export async function ownersThatAreGone({ clock, workers, afterMs, since = 'seen' }: GoneOptions): Promise<(session: OpenSession) => Promise<boolean>> {
  const here = await thisProcess();
  return async ({ id, owner: text, createdAt }) => {
    const owner = readOwner(text);
    if (owner !== null && owner.host === here.host) return isDead({ ...owner, id: '' });
    if (owner !== null && (await workers?.())?.some((worker) => isSame(worker, owner)) === true) return false;
    if (afterMs === null) return false;
    // The clock of another machine may be days behind, and ours may be set: neither takes anything from a reader.
    return (since === 'seen' ? seenForMs(clock, id) : clock.now().getTime() - Date.parse(createdAt)) > afterMs;
  };
}

/** Those that nobody asked for in months are gone, and forgotten; a prune or a check that asks comes every few days. */
function seenForMs(clock: Clock, id: string): number {
  const now = clock.monotonicMs();
  const seen = seenBy.get(clock) ?? new Map<string, { readonly first: number; last: number }>();
  seenBy.set(clock, seen);
  for (const [each, { last }] of seen) if (now - last > FORGOTTEN_AFTER_MS) seen.delete(each);
  const { first } = seen.get(id) ?? { first: now };
  seen.set(id, { first, last: now });
  return now - first;
}

function isSame(a: Owner, b: Owner): boolean {
  return a.host === b.host && a.pid === b.pid && a.processStart === b.processStart;
}

/** null for what another version, or another program, wrote. */
function readOwner(text: string): Owner | null {
  try {
    const { host, pid, processStart } = JSON.parse(text) as Partial<Record<keyof Owner, unknown>>;
    return typeof host === 'string' && typeof pid === 'number' && typeof processStart === 'string' ? { host, pid, processStart } : null;
  } catch {
    return null;
  }
}
