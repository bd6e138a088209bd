// Rests at random moments beside random writers, who go on while nobody reads: what comes out at last is one instant.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { CaptureRest } from '../../../../src/engine/contracts.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { captureUntilRest, pauseFor, readBack, takeSnapshot, type LogLine } from '../../../support/capture.ts';
import type { ReplicaSet } from '../../../support/mongod.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';
import type { Members } from '../disturb.ts';
import { compareWithOracle, readOracle } from '../oracle.ts';
import { createRandom } from '../random.ts';
import { createTally, watchScans } from '../scan-watcher.ts';
import { createWorkload } from '../workload.ts';
import { startWrittenSet, type WrittenSet } from '../written-set.ts';

const RUNS = Number(process.env.LEAFVAULT_CONSISTENCY_RUNS ?? (process.env.LEAFVAULT_LONG_TESTS === undefined ? 3 : 60));
const FIRST_SEED = Number(process.env.LEAFVAULT_CONSISTENCY_SEED ?? 1);
/** In which nobody reads, and the writers write. */
const REST_MS = 700;

describe('capture that rests beside random writers', { timeout: 900_000 + RUNS * 60_000 }, () => {
  let set: WrittenSet;
  let servers: ReplicaSet;
  let client: MongoClient;
  let uri: string;
  let members: Members;
  const total = { kept: 0, middle: 0, rests: 0, touched: 0 };

  before(async () => {
    set = await startWrittenSet();
    ({ servers, client, members, uri } = set);
  });
  after(() => set?.close());

  async function run(seed: number): Promise<readonly string[]> {
    await using stack = new AsyncDisposableStack();
    const repository = await openTestRepository(createMemoryStorage(), { packBytes: 1024 * 1024 });
    stack.defer(() => repository.close());
    const random = createRandom(seed);
    const watcher = watchScans();
    const workload = createWorkload({ client, seed, user: 'somebody', watcher, tally: createTally([]), largeTransaction: seed % 3 === 0 });
    await workload.prepare();
    stack.defer(() => workload.cleanUp());
    stack.defer(() => workload.stop().catch(() => undefined));
    const capture = { uri, repository, limits: { bytesPerSecond: 4_000_000, collectionsAtOnce: 40 } };
    let kept: CaptureRest | null = null;
    for (let rest = 0; rest <= seed % 3; rest += 1) {
      const { pause, now } = pauseFor();
      // After so many replies of scans; where there are fewer, when all are read.
      let left = 5 + Math.floor(random.next() * 60);
      const onLog = (line: LogLine): void => {
        watcher.onLog(line);
        if (line.msg === 'scanning') left -= 1;
        if (left === 0) now();
      };
      const onPhase = async (phase: string): Promise<void> => {
        if (phase === 'connected' && rest === 0) workload.start();
        if (phase === 'scanned') now();
      };
      const next = await captureUntilRest({ ...capture, ...(kept === null ? {} : { goOnFrom: (kept as CaptureRest).document }), pause, onLog, onPhase });
      kept = next ?? kept;
      total.rests += 1;
      await delay(REST_MS);
    }
    const scans = (kept?.document['scans'] ?? []) as readonly { readonly middle: unknown }[];
    total.kept += scans.length;
    total.middle += scans.filter(({ middle }) => middle !== null).length;
    const anew: string[] = [];
    const { root, body } = await takeSnapshot({
      ...capture, ...(kept === null ? {} : { goOnFrom: kept.document }), onLog: watcher.onLog, onAnew: async (reason) => void anew.push(reason),
      onPhase: async (phase) => {
        if (phase !== 'scanned') return;
        watcher.end();
        await workload.pauseCatalog();
        await members.catchUp();
      },
    });
    const primary = await MongoClient.connect(servers.memberUri(await servers.primary()));
    stack.defer(() => primary.close(true));
    const oracle = await readOracle(primary, workload.databases, body.pointInTime!);
    await workload.stop();
    const entries = new Map([...(await readBack(repository, root))].filter(([name]) => workload.databases.some((db) => name.startsWith(`${db}.`))));
    total.touched += [...entries.values()].reduce((sum, { touched }) => sum + touched, 0);
    return [...anew, ...compareWithOracle(entries, oracle), ...(await repository.check({ readData: true })).problems.map(({ message }) => message)];
  }

  for (let i = 0; i < RUNS; i += 1) {
    it(`stands for one instant, run ${FIRST_SEED + i}`, async () => assert.deepEqual(await run(FIRST_SEED + i), []));
  }

  it('had scans that were over and scans in the middle when it rested, and documents that were written since', (t) => {
    t.diagnostic(JSON.stringify(total));
    assert.ok(total.kept > total.middle && total.middle > 0 && total.touched > 0, JSON.stringify(total));
  });
});
