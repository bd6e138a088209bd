// The promise that all rests on: a snapshot stands for exactly one instant, whatever is written while it is taken.
// Random runs on three members with authorization on; `LEAFVAULT_CONSISTENCY_RUNS` and `--long` for more of them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import { BSON, MongoClient } from 'mongodb';
import { newHashState } from '../../../src/engine/bson/index.ts';
import { untouched } from '../../../src/engine/backup/settle/store-lists.ts';
import type { CaptureSteps } from '../../../src/engine/backup/index.ts';
import type { CollectionBody } from '../../../src/engine/contracts.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { readBack, takeSnapshot } from '../../support/capture.ts';
import type { ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import type { Disturbance, Members } from './disturb.ts';
import { compareWithOracle, readOracle } from './oracle.ts';
import { createTally, watchScans } from './scan-watcher.ts';
import { CATALOG_KINDS, type Expected } from './workload-catalog.ts';
import { DOCUMENT_KINDS } from './workload-documents.ts';
import { createWorkload, type Workload } from './workload.ts';
import { startWrittenSet, type WrittenSet } from './written-set.ts';

const RUNS = Number(process.env.LEAFVAULT_CONSISTENCY_RUNS ?? (process.env.LEAFVAULT_LONG_TESTS === undefined ? 20 : 200));
const FIRST_SEED = Number(process.env.LEAFVAULT_CONSISTENCY_SEED ?? 1);
const BYTES_PER_SECOND = 2_500_000;
const DISTURBANCES: readonly Disturbance[] = ['a stepdown', 'a killed cursor'];

let set: WrittenSet;
let servers: ReplicaSet;
let client: MongoClient;
let repository: Repository;
let uri: string;
let members: Members;
const total = createTally([...DOCUMENT_KINDS, ...CATALOG_KINDS, ...DISTURBANCES]);

before(async () => {
  set = await startWrittenSet();
  ({ servers, client, members, uri } = set);
});

after(async () => {
  await repository?.close();
  await set?.close();
});

interface Run {
  readonly problems: readonly string[];
  readonly touched: number;
  readonly journal: readonly string[];
}

async function run(seed: number, options: { readonly disturbance: Disturbance | null; readonly steps?: Partial<CaptureSteps>; readonly largeTransaction?: boolean }): Promise<Run> {
  await repository?.close();
  repository = await openTestRepository(createMemoryStorage(), { packBytes: 4 * 1024 * 1024 });
  const watcher = watchScans();
  const tally = createTally([]);
  const workload = createWorkload({ client, seed, user: 'somebody', watcher, tally, largeTransaction: options.largeTransaction ?? false });
  await workload.prepare();
  let disturbed: Promise<void> | undefined;
  try {
    const { root, body } = await takeSnapshot({
      uri, repository, limits: { bytesPerSecond: BYTES_PER_SECOND, collectionsAtOnce: 40 }, ...(options.steps === undefined ? {} : { steps: options.steps }),
      onLog: watcher.onLog,
      onPhase: async (phase) => {
        if (phase === 'connected') workload.start();
        if (phase === 'listed' && options.disturbance !== null) disturbed = members.disturb(options.disturbance, watcher, tally);
        if (phase !== 'scanned') return;
        watcher.end();
        await disturbed;
        await workload.pauseCatalog();
        // T1 is what the member that is read knows of the majority: it must know of the last change of the catalog.
        await members.catchUp();
      },
    });
    assert.equal(body.consistency, 'point-in-time');
    const oracle = await withPrimary((primary) => readOracle(primary, workload.databases, body.pointInTime!));
    await workload.stop();
    const entries = await readBack(repository, root);
    const ours = new Map([...entries].filter(([name]) => workload.databases.some((db) => name.startsWith(`${db}.`))));
    for (const [kind, count] of tally.counts) for (let i = 0; i < count; i += 1) total.count(kind);
    report(seed, { tally: tally.counts, touched: [...ours.values()].reduce((sum, { touched }) => sum + touched, 0) });
    return {
      problems: compareWithOracle(ours, oracle),
      touched: [...ours.values()].reduce((sum, { touched }) => sum + touched, 0),
      journal: compareWithJournal(workload, ours),
    };
  } finally {
    await workload.stop().catch(() => undefined);
    await workload.cleanUp();
  }
}

async function withPrimary<T>(use: (primary: MongoClient) => Promise<T>): Promise<T> {
  const primary = await MongoClient.connect(servers.memberUri(await servers.primary()));
  try {
    return await use(primary);
  } finally {
    await primary.close(true);
  }
}

/** The snapshot's catalog beside what the workload knows that it did: shares nothing with any server's answer. */
function compareWithJournal({ journal }: Workload, entries: ReadonlyMap<string, { readonly body: CollectionBody }>): string[] {
  const names = new Set([...journal.keys(), ...entries.keys()]);
  return [...names].flatMap((name) => {
    const [expected, found] = [journal.get(name), entries.get(name)];
    if (expected === undefined || found === undefined) return [`${name}: ${expected === undefined ? 'not in the journal' : 'not in the snapshot'}`];
    const stated = asJournaled(found.body);
    return isDeepStrictEqual(stated, expected) ? [] : [`${name}: ${inspect(expected)} in the journal, ${inspect(stated)} in the snapshot`];
  });
}

function asJournaled({ kind, indexes, options, capped }: CollectionBody): Expected {
  const { indexes: listed } = BSON.deserialize(Buffer.from(indexes, 'base64')) as { readonly indexes: readonly { readonly name: string }[] };
  const { viewOn = null } = BSON.deserialize(Buffer.from(options, 'base64')) as { readonly viewOn?: string };
  return { kind: kind as Expected['kind'], indexes: new Set(listed.map(({ name }) => name)), capped, viewOn };
}

function report(seed: number, { tally, touched }: { readonly tally: ReadonlyMap<string, number>; readonly touched: number }): void {
  if (process.env.LEAFVAULT_LONG_TESTS === undefined && process.env.LEAFVAULT_CONSISTENCY_RUNS === undefined) return;
  console.log(`run ${seed}: ${touched} touched; ${[...tally].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
}

describe('capture beside random writers', { timeout: 900_000 + RUNS * 60_000 }, () => {
  for (let i = 0; i < RUNS; i += 1) {
    const disturbance = i % 5 === 3 ? DISTURBANCES[0]! : i % 5 === 1 ? DISTURBANCES[1]! : null;
    it(`stands for one instant, run ${FIRST_SEED + i}${disturbance === null ? '' : ` with ${disturbance}`}`, async () => {
      const { problems, journal, touched } = await run(FIRST_SEED + i, { disturbance, largeTransaction: i % 4 === 2 });
      assert.deepEqual(problems, []);
      assert.deepEqual(journal, []);
      assert.ok(touched > 0);
    });
  }

  it('met every kind of operation on a collection that was partly scanned', async (t) => {
    const missed = (): string[] => [...total.counts].filter(([, count]) => count === 0).map(([kind]) => kind);
    // On a loaded machine a rare kind may fall beside every scan: a few more runs, then it counts as missing.
    for (let extra = 0; extra < 30 && missed().length > 0; extra += 1) {
      const { problems, journal } = await run(FIRST_SEED + RUNS + extra, { disturbance: DISTURBANCES[extra % 2]!, largeTransaction: true });
      assert.deepEqual([problems, journal], [[], []]);
    }
    const rows = [...total.counts].map(([kind, count]) => `${String(count).padStart(7)}  ${kind}`);
    t.diagnostic(`operations between T0 and T1 on a collection already partly scanned, over ${RUNS} runs:\n${rows.join('\n')}`);
    assert.deepEqual(missed(), []);
  });

  it('is found wrong when settling is switched off', async () => {
    const settleCollection: CaptureSteps['settleCollection'] = async (context, { scan }) => ({ ...(await untouched(context, scan, scan?.mask ?? 0)), state: scan?.state ?? newHashState() });
    const { problems } = await run(9_999, { disturbance: null, steps: { settleCollection } });
    assert.notDeepEqual(problems, []);
  });
});
