// Tailers on a real catalog, queue and store, with a real worker that takes their bases. Small limits: slices of a tenth of a second.
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import type { Catalog, ChainWindow, Tailer } from '../../src/catalog/index.ts';
import { compareClusterTimes, timeOfPosition, type ClusterTime } from '../../src/domain/cluster-time.ts';
import { captureSnapshot, dropKept, restoreSnapshot, settleRestore, slicesOfChain, tailOplog, undoRestore } from '../../src/engine/index.ts';
import { parseOplogEntry } from '../../src/engine/backup/oplog/oplog-entry.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { createHandlers, createTailers, openPostgresQueue, Worker, type JobContext, type JobHandlers, type PostgresQueue, type Tailers, type TailersOptions } from '../../src/jobs/index.ts';
import type { Repository, Slice } from '../../src/repository/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { makeInventory, type Inventory } from './catalog-rows.ts';
import { until } from './job-rows.ts';
import { silent, startEmbedded, type TestDatabase } from './postgres.ts';
import { NO_DRILLS } from './small-engine.ts';
import { openTestRepository } from './repository-fixture.ts';

export const SMALL: Partial<TailersOptions> = { limits: { bytes: 64 * 1024, ms: 100 }, statusMs: 100, retryMs: { first: 100, longest: 500 }, baseRetryMs: 500, leaseSeconds: 2 };

type OnPhase = (phase: string, signal: AbortSignal) => Promise<void>;

export interface TailerWorld extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly catalog: Catalog;
  readonly queue: PostgresQueue;
  readonly repository: Repository;
  /** Of the store and of private files. */
  readonly folder: string;
  /** A cluster at this address that wants continuous backup. */
  addCluster(uri: string): Promise<Inventory>;
  startTailers(changes?: Partial<TailersOptions>): Promise<Tailers>;
  /** @param onPhase awaited between the phases of its jobs, with the signal of the job */
  startWorker(onPhase?: OnPhase): Promise<Worker>;
  /** Stops all tailers and workers that were started. */
  stopAll(): Promise<void>;
}

export async function openTailerWorld(): Promise<TailerWorld> {
  const database = await startEmbedded();
  const catalog = await database.open();
  const queue = await openPostgresQueue({ catalog, log: silent });
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-tailers-'));
  const storage = openStorage(`file:${join(folder, 'store')}`);
  const repository = await openTestRepository(storage);
  const repositories = { forProject: () => Promise.resolve(repository) };
  const started: { stop(): Promise<void> }[] = [];
  const stopAll = async (): Promise<void> => { for (const one of started.splice(0).reverse()) await one.stop(); };
  return {
    database, catalog, queue, repository, folder, stopAll,
    async addCluster(uri) {
      const inventory = await makeInventory(catalog, uri);
      await catalog.clusters.setContinuousBackup(inventory.cluster.id, true);
      return inventory;
    },
    async startTailers(changes = {}) {
      const tailers = createTailers({ catalog, queue, repositories, tail: tailOplog, clock: systemClock, log: silent, ...SMALL, ...changes });
      started.push(tailers);
      await tailers.start();
      return tailers;
    },
    async startWorker(onPhase) {
      const worker = realWorker({ catalog, queue, repositories, tempRoot: join(folder, 'jobs'), ...(onPhase === undefined ? {} : { onPhase }) });
      started.push(worker);
      await worker.start();
      return worker;
    },
    async [Symbol.asyncDispose]() {
      await stopAll();
      await queue.close();
      await catalog.close();
      await repository.close();
      await storage.close();
      await database.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Takes snapshots and restores as the service's own do. */
export function realWorker(
  { catalog, queue, repositories, tempRoot, onPhase }: Pick<TailersOptions, 'catalog' | 'repositories'> & { readonly queue: PostgresQueue; readonly tempRoot: string; readonly onPhase?: OnPhase },
): Worker {
  const signals = new AsyncLocalStorage<AbortSignal>();
  const told = onPhase === undefined ? {} : { onPhase: (phase: string) => onPhase(phase, signals.getStore()!) };
  const handlers = createHandlers({ ...NO_DRILLS, catalog, repositories, clock: systemClock, capture: captureSnapshot, restore: restoreSnapshot, settle: settleRestore, undo: undoRestore, dropKept, slicesOfChain, ...told });
  const withSignal = Object.fromEntries(Object.entries(handlers).map(([kind, handle]) => [kind, (context: JobContext) => signals.run(context.signal, () => handle(context))])) as JobHandlers;
  return new Worker({ catalog, queue, handlers: withSignal, clock: systemClock, log: silent, tempRoot, drainMs: 0 });
}

/** Writes with majority; the time of the write. */
export async function mark(client: MongoClient): Promise<ClusterTime> {
  for (;;) {
    try {
      const { operationTime } = await client.db('marks').command({ insert: 'm', documents: [{}], writeConcern: { w: 'majority' } });
      return { t: operationTime.t, i: operationTime.i };
    } catch {
      // An election is under way.
      await delay(50);
    }
  }
}

export function windowsOf({ catalog }: Pick<TailerWorld, 'catalog'>, { cluster }: Inventory): Promise<readonly ChainWindow[]> {
  return catalog.chains.windows(cluster.id);
}

/** The newest chain, once it holds `time`; with `base`, once it has one too. */
export function reach(world: TailerWorld, inventory: Inventory, time: ClusterTime, { base = false } = {}): Promise<ChainWindow> {
  return until(`the window to reach ${time.t}`, async () => {
    const newest = (await windowsOf(world, inventory)).at(-1);
    return newest !== undefined && compareClusterTimes(newest.to, time) >= 0 && (!base || newest.base !== null) && newest;
  });
}

export function tailerIn(world: TailerWorld, { cluster }: Inventory, wanted: (tailer: Tailer) => boolean): Promise<Tailer> {
  return until('the tailer', async () => {
    const tailer = await world.catalog.tailers.get(cluster.id);
    return tailer !== null && wanted(tailer) && tailer;
  });
}

export interface StoredChain { readonly slices: readonly Slice[]; readonly times: readonly ClusterTime[]; readonly raw: readonly Buffer[] }

/** What the store holds of a chain: the reading of it proves sequence and links. */
export async function storedChain(repository: Repository, chainId: string): Promise<StoredChain> {
  const found = { slices: [] as Slice[], times: [] as ClusterTime[], raw: [] as Buffer[] };
  for await (const { slice, raw } of repository.chains.read(chainId)) {
    found.slices.push(slice);
    for (let at = 0; at < raw.length; at += raw.readInt32LE(at)) {
      const entry = Buffer.from(raw.subarray(at, at + raw.readInt32LE(at)));
      found.raw.push(entry);
      found.times.push(parseOplogEntry(entry).time);
    }
    if (compareClusterTimes(found.times.at(-1) ?? { t: 0, i: 0 }, timeOfPosition(slice.to)) !== 0) throw new Error(`slice ${slice.sequence} does not end at its last entry`);
  }
  return found;
}

/** Entries of the member's oplog behind `from` up to `to`. */
export async function oplogBetween(client: MongoClient, from: ClusterTime, to: ClusterTime): Promise<Buffer[]> {
  const { Timestamp } = await import('mongodb');
  const range = { $gt: new Timestamp(from), $lte: new Timestamp(to) };
  const found = await client.db('local').collection('oplog.rs', { raw: true } as never).find({ ts: range }, { raw: true, readConcern: { level: 'majority' } } as never).sort({ $natural: 1 }).toArray();
  return found.map((raw) => Buffer.from(raw as unknown as Uint8Array));
}
