// The replay of a restore to an instant against its stand-in: the same updates, one `applyOps` command each.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Document, MongoClient } from 'mongodb';
import { compareClusterTimes, positionOf, type ClusterTime } from '../src/domain/cluster-time.ts';
import { captureSnapshot, restoreSnapshot, slicesOfChain } from '../src/engine/index.ts';
import { tailOplog } from '../src/engine/oplog/tail-oplog.ts';
import { systemClock } from '../src/foundation/clock.ts';
import { newId } from '../src/foundation/ids.ts';
import { createLogger } from '../src/foundation/logger.ts';
import type { ChainWriter, Repository } from '../src/repository/repository.ts';
import { fresh, withClient, withRepository, type Work, type WorkOptions } from './works.ts';

const DATABASE = 'bench_replay';
const INTO = 'bench_replayed';
const DOCUMENTS = 20_000;
const OPERATIONS = 100_000;
const SINGLE = 4_000;
/** What one operation counts as, so that speeds of both are in the same unit. */
const OPERATION_BYTES = 100;

const log = createLogger('error');
const signal = new AbortController().signal;

/** Where the window lies: written by `prepareReplay`, read by `replay`. */
interface Window {
  readonly rootId: string;
  readonly chainId: string;
  readonly border: ClusterTime;
}

export const REPLAY_WORKS: Readonly<Record<string, Work>> = {
  /** Not a row: a base and a window of updates of independent documents, kept by the tailer. */
  prepareReplay: (options) => withClient(options.uri, (client) => withRepository(`${options.repository}-replay`, options.folder, async (repository) => {
    await client.db(DATABASE).dropDatabase();
    const documents = client.db(DATABASE).collection<Document>('documents');
    await documents.insertMany(Array.from({ length: DOCUMENTS }, (_, n) => ({ _id: n as never, n: 0, pad: 'x'.repeat(300) })));
    const kept = await keep(options.uri, repository);
    const rootId = await takeBase(options, repository);
    for (let at = 0; at < OPERATIONS; at += 5_000) {
      await documents.bulkWrite(Array.from({ length: 5_000 }, (_, n) => ({ updateOne: { filter: { _id: ((at + n) % DOCUMENTS) as never }, update: { $set: { n: at + n, text: `number ${at + n}` } } } })), { ordered: false });
    }
    const { operationTime } = await client.db('admin').command({ appendOplogNote: 1, data: { end: 1 }, writeConcern: { w: 'majority' } });
    const border = { t: operationTime.t, i: operationTime.i };
    await kept.reach(border);
    await kept.stop();
    await writeFile(windowFile(options), JSON.stringify({ rootId, chainId: kept.chainId, border } satisfies Window));
    return { bytes: 0 };
  })),

  /** Stand-in: one operation for each command, one after the other. */
  plainReplay: ({ uri }) => withClient(uri, async (client) => {
    const began = performance.now();
    for (let n = 0; n < SINGLE; n += 1) {
      await client.db('admin').command({ applyOps: [{ op: 'u', ns: `${DATABASE}.documents`, o2: { _id: n }, o: { $v: 2, diff: { u: { n: -n, text: `number ${n}` } } } }], alwaysUpsert: false });
    }
    return { bytes: SINGLE * OPERATION_BYTES, seconds: (performance.now() - began) / 1000 };
  }),

  /** The phase alone; the whole restore around it is proven as any. */
  replay: (options) => withRepository(`${options.repository}-replay`, options.folder, async (repository) => {
    await withClient(options.uri, (client: MongoClient) => client.db(INTO).dropDatabase());
    const { rootId, chainId, border } = JSON.parse(await readFile(windowFile(options), 'utf8')) as Window;
    const reader = await repository.openReader();
    let plan: Readonly<Record<string, unknown>> | null = null;
    const times: Record<string, number> = {};
    await restoreSnapshot({
      restoreId: newId(), reader, root: await repository.loadSnapshot(rootId), hashSeed: repository.hashSeed, target: { uri: options.uri },
      selection: { databases: [DATABASE], collections: [], renames: [{ from: DATABASE, to: INTO }] },
      instant: { border, replicaSetId: null, slices: slicesOfChain({ chains: repository.chains, chainId }) },
      indexStrategy: 'ALL', usersAndRoles: false, timeSeries: 'refuse', oldCollections: 'drop',
      journal: { load: async () => plan, save: async (next) => { plan = next; } },
      tempDir: await fresh(options.folder), signal, onProgress: () => undefined, log, clock: systemClock,
      onPhase: async (phase) => { times[phase] ??= performance.now(); },
    });
    await reader.close();
    return { bytes: OPERATIONS * OPERATION_BYTES, seconds: ((times['indexes'] ?? 0) - (times['replay'] ?? 0)) / 1000 };
  }),
};

function windowFile({ repository }: WorkOptions): string {
  return join(`${repository}-replay.json`);
}

async function takeBase({ uri, folder }: WorkOptions, repository: Repository): Promise<string> {
  const writer = await repository.openWriter({ signal });
  const { body } = await captureSnapshot({
    uri, writer, hashSeed: repository.hashSeed, previous: null, selection: { databases: [DATABASE], collections: [] }, tempDir: await fresh(folder), signal,
    onProgress: () => undefined, log, clock: systemClock,
  });
  return (await writer.commit({ id: newId(), createdAt: systemClock.now().toISOString(), series: 'bench', body: { ...body } })).id;
}

async function keep(uri: string, repository: Repository): Promise<{ readonly chainId: string; reach(time: ClusterTime): Promise<void>; stop(): Promise<void> }> {
  const ended = new AbortController();
  const begun = Promise.withResolvers<ChainWriter>();
  let reached: ClusterTime = { t: 0, i: 0 };
  const tail = tailOplog({
    uri, from: null, signal: ended.signal, clock: systemClock, log, limits: { bytes: 4 * 1024 * 1024, ms: 200 },
    onBegin: async ({ time }) => begun.resolve(await repository.chains.begin({ series: 'bench', from: positionOf(time), body: {} })),
    onSlice: async ({ to, entries, raw }) => {
      await (await begun.promise).append({ to: positionOf(to), records: entries, raw, body: {} });
      reached = to;
    },
  }).catch((error: unknown) => {
    begun.reject(error);
    if (!ended.signal.aborted) throw error;
  });
  const { head } = await begun.promise;
  return {
    chainId: head.id,
    reach: async (time) => {
      while (compareClusterTimes(reached, time) < 0) await delay(50);
    },
    stop: async () => {
      ended.abort(new Error('the bench is over'));
      await tail;
    },
  };
}
