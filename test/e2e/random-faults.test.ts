// Minutes of misfortune: doors, workers, PostgreSQL, the S3 server, MongoDB and prunes end at random moments while people
// go on to ask for snapshots, restores and deletions. Nothing that was said to be done may be missing at the end.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as randomMoment } from 'node:timers/promises';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource, type Reply, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { startExternal, type ExternalDatabase } from '../support/postgres.ts';
import { S3_KEY, startS3, whyNot, type S3Server } from '../support/s3-servers.ts';
import { createRandom } from '../engine/backup/random.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const FAULTS = LONG ? 100 : 4;
const SEED = Number(process.env['LEAFVAULT_TEST_SEED'] ?? Date.now() % 1_000_000);
/** A job whose worker was frozen waits for its lease. */
const PATIENCE_MS = 180_000;
const KIND = (await whyNot('versitygw')) === null ? 'versitygw' : 'moto';

describe(`an installation whose parts fail at random (${KIND}, seed ${SEED})`, { timeout: LONG ? 3_600_000 : 900_000 }, () => {
  const random = createRandom(SEED);
  let database: ExternalDatabase;
  let source: Source;
  let folder: LeafvaultFolder;
  let s3: S3Server;
  let store: string;
  const doors: LeafvaultProcess[] = [];
  let doorPorts: readonly number[];
  let turn = 0;
  /** Of one door after the other: what one was asked for the other tells. */
  const origin = (): string => doors[(turn += 1) % doors.length]!.origin;
  const workers: LeafvaultProcess[] = [];
  let starts = 0;

  before(async () => {
    [database, source, folder, s3, doorPorts] = await Promise.all([startExternal(), startSource(3_000), leafvaultFolder(), startS3(KIND), Promise.all([freePort(), freePort()])]);
    store = await s3.newStore();
    for (let n = 0; n < 2; n += 1) doors.push(await start('serve', `door-${n}`, doorPorts[n]!));
    for (let n = 0; n < 3; n += 1) workers.push(await start('worker', `worker-${n}`));
  });
  after(async () => {
    await folder?.remove();
    await source?.[Symbol.asyncDispose]();
    await database?.stop();
    await s3?.[Symbol.asyncDispose]();
  });

  async function start(command: 'serve' | 'worker', name: string, port?: number): Promise<LeafvaultProcess> {
    const home = join(folder.path, name);
    await mkdir(home, { recursive: true });
    if (name !== 'door-0') await copyFile(join(folder.path, 'door-0', 'master.key'), join(home, 'master.key'));
    const settings = settingsFor(source.uri, { home, database: database.url, repository: { store } });
    return startLeafvault({ folder, name: `${name}.${starts++}`, command, port: port ?? (await freePort()), settings, env: S3_KEY, args: command === 'serve' ? ['--no-worker'] : [] });
  }

  async function prune(killAfterMs: number | null): Promise<string> {
    const child = execFile(process.execPath, [MAIN, 'prune', '--config', join(folder.path, 'leafvault.yaml')], { env: { ...process.env, ...S3_KEY } });
    let said = '';
    child.stdout?.on('data', (text: string) => { said += text; });
    child.stderr?.on('data', (text: string) => { said += text; });
    const gone = once(child, 'exit');
    if (killAfterMs !== null) {
      await randomMoment(killAfterMs);
      child.kill('SIGKILL');
    }
    const [code] = await gone;
    return `${String(code)} ${said}`;
  }

  const faults: Readonly<Record<string, () => Promise<void>>> = {
    'a worker is killed': async () => {
      const n = random.below(workers.length);
      await workers[n]!.kill();
      workers[n] = await start('worker', `worker-${n}`);
    },
    'a door is killed': async () => {
      const n = random.below(doors.length);
      await doors[n]!.kill();
      doors[n] = await start('serve', `door-${n}`, doorPorts[n]!);
    },
    'a worker is frozen and wakes up': async () => {
      const { pid } = workers[random.below(workers.length)]!;
      process.kill(pid, 'SIGSTOP');
      await randomMoment(LONG ? random.below(45_000) : random.below(4_000));
      process.kill(pid, 'SIGCONT');
    },
    'PostgreSQL crashes': () => database.crash(),
    'the S3 server stalls': async () => {
      s3.freeze();
      await randomMoment(random.below(4_000));
      s3.thaw();
    },
    ...(KIND === 'versitygw' ? { 'the S3 server is killed': () => s3.restart() } : {}),
    'MongoDB is killed': async () => void (await source.mongo.members[0]!.restart()),
    'a prune is killed': async () => void (await prune(300 + random.below(1_500))),
    'a prune runs': async () => void (await prune(null)),
  };

  test('ends every job, says nothing that is not so, and works on afterwards', { timeout: LONG ? 3_600_000 : 900_000 }, async (context) => {
    const completed = new Map<string, number>();
    const tally = { asked: 0, completed: 0, failed: 0, deleted: 0, restored: 0 };
    const causes: string[] = [];
    let mark = 0;
    let isOver = false;
    let steps = 0;
    let onStep = (): void => undefined;
    const step = (): void => {
      steps += 1;
      onStep();
    };
    const orders = source.client.db('shop').collection<{ _id: number; mark: number }>('orders');

    const backUp = async (): Promise<string | null> => {
      mark += 1;
      const written = mark;
      await patiently(() => orders.updateOne({ _id: 0 }, { $set: { mark: written } }, { writeConcern: { w: 'majority' } }));
      const asked = await answered(() => call(origin(), 'POST', `${BACKUP}/snapshots`, { description: `mark ${written}`, retentionInDays: 1 }));
      tally.asked += 1;
      step();
      const id = String(asked.body['id']);
      const ended = await ending(`${BACKUP}/snapshots/${id}`, ({ status }) => ['completed', 'failed', 'cancelled'].includes(String(status)));
      if (ended['status'] !== 'completed') {
        tally.failed += 1;
        return null;
      }
      tally.completed += 1;
      completed.set(id, written);
      return id;
    };
    const restore = async (id: string): Promise<boolean> => {
      await patiently(() => orders.updateOne({ _id: 0 }, { $set: { mark: -1 } }, { writeConcern: { w: 'majority' } }));
      const asked = await answered(() => call(origin(), 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'automated', snapshotId: id, targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name }));
      step();
      const ended = await ending(`${BACKUP}/restoreJobs/${String(asked.body['id'])}`, (job) => job['finishedAt'] !== undefined || job['failed'] === true);
      const found = await patiently(() => orders.findOne({ _id: 0 }, { readConcern: { level: 'majority' } }));
      if (ended['failed'] === true) {
        assert.equal(found?.mark, -1, 'a restore that failed replaced nothing');
        tally.failed += 1;
        return false;
      }
      assert.equal(found?.mark, completed.get(id), 'a restore that ended well holds its snapshot');
      assert.equal(await patiently(() => orders.countDocuments()), 3_000);
      tally.restored += 1;
      return true;
    };
    const people = async (): Promise<void> => {
      while (!isOver) {
        await backUp();
        step();
        const ids = [...completed.keys()];
        if (random.below(2) === 0 && ids.length > 0) await restore(random.pick(ids));
        step();
        if (ids.length > 3) {
          const gone = random.pick(ids.slice(0, -1));
          completed.delete(gone);
          const { status } = await answered(() => call(origin(), 'DELETE', `${BACKUP}/snapshots/${gone}`), [204, 200, 404]);
          assert.ok(status < 500);
          tally.deleted += 1;
        }
      }
    };
    /** Asks again until an answer of that kind comes: doors and what is behind them may be away. */
    async function answered(ask: () => Promise<Reply>, wanted: readonly number[] = [200, 201]): Promise<Reply> {
      let last: Reply | undefined;
      for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await delay(100)) {
        last = await ask();
        if (wanted.includes(last.status)) return last;
        if (last.status >= 400 && last.status < 500 && last.status !== 409 && last.status !== 429) break;
        if (last.status !== 0) causes.push(`${last.status} ${JSON.stringify(last.body).slice(0, 200)}`);
      }
      throw new Error(`The last answer was ${JSON.stringify(last)}`);
    }
    async function ending(path: string, isEnd: (body: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
      for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await delay(100)) {
        const { status, body } = await call(origin(), 'GET', path);
        if (status === 200 && isEnd(body)) return body;
      }
      throw new Error(`${path} did not end in ${PATIENCE_MS / 1000} s`);
    }
    async function patiently<T>(ask: () => Promise<T>): Promise<T> {
      for (const deadline = performance.now() + PATIENCE_MS;; await delay(100)) {
        try {
          return await ask();
        } catch (error) {
          if (performance.now() > deadline) throw error;
        }
      }
    }

    const working = people();
    const failedEarly = working.then(() => assert.ok(isOver), (error: unknown) => { throw error; });
    const names = Object.keys(faults).map((name) => ({ name, place: random.below(1_000_000) })).sort((a, b) => a.place - b.place).map(({ name }) => name);
    const seen = new Map<string, number>();
    for (let n = 0; n < FAULTS; n += 1) {
      const next = new Promise<void>((resolve) => { onStep = resolve; });
      await Promise.race([next, failedEarly]);
      await randomMoment(random.below(900));
      // Each once before any comes again; the short form has some of them each time.
      const name = n < names.length ? names[n]! : random.pick(names);
      seen.set(name, (seen.get(name) ?? 0) + 1);
      await Promise.race([faults[name]!(), failedEarly]);
    }
    isOver = true;
    await working;
    assert.equal([...seen.values()].reduce((sum, count) => sum + count, 0), FAULTS);

    const last = await backUp();
    assert.ok(last !== null, `a snapshot works after it all\n${await workers[0]!.log()}`);
    const [oldest] = completed.keys();
    assert.ok(await restore(oldest!), 'and so does a restore of the oldest');
    assert.match(await prune(null), /^0 /, 'and a prune');
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'check', '--read-data', '--config', join(folder.path, 'leafvault.yaml')], { env: { ...process.env, ...S3_KEY } });
    assert.match(stdout, /no problems found/);
    const there = Number(/^(\d+) snapshots/.exec(stdout)?.[1]);
    assert.ok(there >= completed.size, `${there} snapshots are there, ${completed.size} were completed and not deleted`);
    assert.ok(tally.completed >= tally.asked / 2, `most snapshots succeed: ${JSON.stringify(tally)}`);
    context.diagnostic(`seed ${SEED}: ${FAULTS} faults (${[...seen].map(([name, count]) => `${count} x ${name}`).join(', ')}); ${steps} steps, ${JSON.stringify(tally)}; other answers: ${new Set(causes).size}`);
  });
});
