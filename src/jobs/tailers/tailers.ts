// Which clusters this process follows: looks for those that nobody does, keeps their leases, hears what was decided about them.
// docs/design/continuous-backup.md, "Who follows which cluster".
import type { HeldTailer, WorkerProcess } from '../../catalog/index.ts';
import { sleep } from '../../foundation/abort.ts';
import { describeError, LeafvaultError } from '../../foundation/errors.ts';
import { redactUri } from '../../foundation/redact.ts';
import { thisProcess } from '../process-identity.ts';
import { runTailer, type RunningTailer, type TailerParts } from './run-tailer.ts';

export type TailersOptions = Pick<TailerParts, 'catalog' | 'queue' | 'repositories' | 'tail' | 'clock' | 'log'> &
  Partial<Pick<TailerParts, 'limits' | 'statusMs' | 'retryMs' | 'baseRetryMs' | 'baseFreshMs'>> & {
    /** Seconds after which a silent process has lost its clusters; default 30. */
    readonly leaseSeconds?: number;
    /** How long tailers may take to put away what they gathered when the process stops; default 8 s. */
    readonly stopMs?: number;
  };

export interface Tailers {
  /** Follows from now on. */
  start(): Promise<void>;
  /** Puts away what was gathered and gives the leases back. Safe to call twice. */
  stop(): Promise<void>;
  /** Clusters that this process follows now. */
  readonly active: number;
}

const DEFAULTS = { limits: undefined, statusMs: 5_000, retryMs: { first: 1_000, longest: 60_000 }, baseRetryMs: 600_000, baseFreshMs: 86_400_000, leaseSeconds: 30, stopMs: 8_000 };
const LONGEST_BEAT_MS = 1_000;

export function createTailers(given: TailersOptions): Tailers {
  const options = { ...DEFAULTS, ...given };
  const { catalog, clock, log, leaseSeconds, stopMs } = options;
  const running = new Map<string, RunningTailer>();
  const ending = new AbortController();
  let self: WorkerProcess | null = null;
  let loops: readonly Promise<void>[] = [];
  let renewedAt = clock.monotonicMs();
  let stopping: Promise<void> | undefined;

  const follow = async ({ id }: WorkerProcess): Promise<void> => {
    for (const cluster of await catalog.tailers.free([...running.keys()])) {
      if (ending.signal.aborted) return;
      const claim = await catalog.tailers.claim({ clusterId: cluster.id, workerId: id, leaseSeconds });
      if (claim === null) continue;
      const tailer = runTailer(options, claim, cluster);
      running.set(cluster.id, tailer);
      if (ending.signal.aborted) tailer.release();
      void tailer.done.then(() => running.delete(cluster.id));
    }
  };
  const beat = async (worker: WorkerProcess): Promise<void> => {
    const now = clock.monotonicMs();
    // One that is claimed during the query is missing from its answer for a good reason.
    const tailers = [...running.values()];
    try {
      await catalog.workers.seen(worker);
      const held = await catalog.tailers.renew(tailers.map(({ claim }) => claim), leaseSeconds);
      renewedAt = now;
      compare(tailers, new Map(held.map((lease) => [lease.clusterId, lease])));
    } catch (error) {
      if (clock.monotonicMs() - renewedAt > leaseSeconds * 1000) for (const tailer of running.values()) tailer.lose();
      throw error;
    }
  };
  /** Runs `step` now and then every `everyMs`; what it throws is logged, the next round tries again. */
  const loop = async (name: string, everyMs: number, signal: AbortSignal, step: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      await step().catch((error: unknown) => {
        if (!signal.aborted) log.warn({ reason: redactUri(describeError(error)) }, `${name} failed; trying again`);
      });
      await sleep(everyMs, signal).catch(() => undefined);
    }
  };
  const beatMs = Math.min(LONGEST_BEAT_MS, leaseSeconds * 200);
  const over = new AbortController();

  const end = async (worker: WorkerProcess): Promise<void> => {
    ending.abort(new LeafvaultError('JOBS_RELEASED', 'The process stops'));
    for (const tailer of running.values()) tailer.release();
    // Leases are renewed until the last slice is put; what does not end in time is covered by its lease.
    await Promise.race([Promise.all([...running.values()].map(({ done }) => done)), sleep(stopMs, over.signal).catch(() => undefined)]);
    const left = running.size;
    for (const tailer of running.values()) tailer.lose();
    over.abort(ending.signal.reason);
    await Promise.all(loops);
    if (left > 0) log.warn({ clusters: [...running.keys()] }, 'the process stops without having put away what it gathered of these clusters');
    else await catalog.workers.remove([worker.id]).catch(() => undefined);
  };

  return {
    async start() {
      if (self !== null) return;
      const worker = await thisProcess();
      self = worker;
      await catalog.workers.seen(worker);
      renewedAt = clock.monotonicMs();
      loops = [
        loop('renewing leases of tailers', beatMs, over.signal, () => beat(worker)),
        loop('looking for clusters to follow', leaseSeconds * 200, ending.signal, () => follow(worker)),
      ];
    },
    stop() {
      stopping ??= self === null ? Promise.resolve() : end(self);
      return stopping;
    },
    get active() { return running.size; },
  };
}

function compare(tailers: readonly RunningTailer[], held: ReadonlyMap<string, HeldTailer>): void {
  for (const tailer of tailers) {
    const { clusterId, token } = tailer.claim;
    const lease = held.get(clusterId);
    if (lease?.token !== token) tailer.lose();
    else if (!lease.wanted || lease.endRequested !== null) tailer.look();
    else if (lease.cutRequested) tailer.cut();
  }
}
