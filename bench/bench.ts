// `npm run bench`: speed as ratios, measured in one run on one machine, rounds interleaved.
//   --size 1GB   raw BSON of the data set     --rounds 3     --json FILE
import { mkdtemp, rm, writeFile, stat, mkdir } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { startReplicaSet } from '../test/support/mongod.ts';
import { changeAtRandom, changeNewest, DATABASE, makeDataSet } from './data-set.ts';
import { findTool, runDoors, runTool, runWork, type Measured } from './run-measured.ts';
import { printSamples, printTable, tableRows } from './table.ts';
import type { WorkOptions } from './works.ts';

const { values: flags } = parseArgs({
  options: { size: { type: 'string', default: '1GB' }, rounds: { type: 'string', default: '3' }, json: { type: 'string' } },
});

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12 };
const size = sizeOf(flags.size);
const rounds = Number(flags.rounds);
const folder = await mkdtemp(join(tmpdir(), 'leafvault-bench-'));
const mongo = await startReplicaSet({ cacheGB: Math.max(1, Math.min(4, totalmem() / 4e9)), oplogSizeMB: 2_048, parameters: { minSnapshotHistoryWindowInSeconds: 300 } });
const client = new MongoClient(mongo.uri);
try {
  await main();
} finally {
  await client.close();
  await mongo.stop();
  await rm(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  say(`${cpus().length} cores, ${(totalmem() / 1e9).toFixed(0)} GB memory, Node ${process.version}; filling ${flags.size}`);
  const documents = await makeDataSet(client, size, (count) => progress(`${count.toLocaleString('en')} documents`));
  progress('');
  const [load = 0] = loadavg();
  if (load > cpus().length + 1) say(`The machine is busy with other things (load ${load.toFixed(1)}): seconds mean little, ratios of one round still something`);
  const options = optionsOf(0);
  await runWork('dump', options);
  // The first read after filling pays for the cache; it belongs to nobody.
  await runWork('rawRead', options);
  const samples: Record<string, Measured[]> = {};
  for (let round = 1; round <= rounds; round += 1) await playRound(round, documents, samples);
  samples.doors = [await runDoors()];
  const rows = tableRows(samples);
  say(`\n${printSamples(samples)}\n\n${printTable(rows)}\n`);
  if (flags.json !== undefined) await writeFile(flags.json, JSON.stringify({ machine: { cores: cpus().length, memoryBytes: totalmem(), node: process.version }, sizeBytes: size, documents, rounds, rows, samples }, null, 2));
}

/** Every piece of work once, each beside the one that it is held against. */
async function playRound(round: number, documents: number, samples: Record<string, Measured[]>): Promise<void> {
  const options = optionsOf(round);
  const db = client.db(DATABASE);
  const onePercent = Math.ceil(documents / 100);
  const measure = async (name: string, work: string): Promise<void> => {
    await mkdir(options.folder, { recursive: true });
    keep(name, await runWork(work, options));
  };
  const keep = (name: string, measured: Measured): void => {
    (samples[name] ??= []).push(measured);
    say(`round ${round}  ${name.padEnd(14)} ${measured.seconds.toFixed(2)} s`);
  };
  await measure('rawRead', 'rawRead');
  await measure('snapshot', 'snapshot');
  await dumpWithTools(keep, samples);
  await measure('unchanged', 'snapshot');
  await changeNewest(db, documents, onePercent, round);
  await measure('newest', 'snapshot');
  await changeAtRandom(db, documents, onePercent, round);
  await measure('random', 'snapshot');
  await measure('rawInsert', 'rawInsert');
  await client.db('bench_raw').dropDatabase();
  await measure('restore', 'restore');
  await client.db('bench_restored').dropDatabase();
  await measure('restoreFull', 'restoreFull');
  await client.db('bench_full').dropDatabase();
  await restoreWithTool(keep, samples);
  await measure('restoreOne', 'restoreOne');
  await client.db('bench_one').dropDatabase();
  await runWork('prepareReplay', options);
  await measure('plainReplay', 'plainReplay');
  await measure('replay', 'replay');
  for (const name of ['bench_replay', 'bench_replayed']) await client.db(name).dropDatabase();
  for (const path of [options.repository, `${options.repository}-replay`]) await rm(path, { recursive: true, force: true });
}

async function dumpWithTools(keep: (name: string, measured: Measured) => void, samples: Readonly<Record<string, readonly Measured[]>>): Promise<void> {
  const tool = await findTool('mongodump');
  if (tool === null) return;
  const bytes = samples.snapshot?.at(-1)?.bytes ?? 0;
  for (const [name, flag] of [['mongodump', []], ['mongodumpGzip', ['--gzip']]] as const) {
    const archive = join(folder, `${name}.archive`);
    const seconds = await runTool(tool, ['--quiet', `--uri=${mongo.uri}`, `--db=${DATABASE}`, `--archive=${archive}`, ...flag]);
    keep(name, { seconds, bytes, cpuSeconds: null, peakRssBytes: null, storedBytes: (await stat(archive)).size });
  }
}

async function restoreWithTool(keep: (name: string, measured: Measured) => void, samples: Readonly<Record<string, readonly Measured[]>>): Promise<void> {
  const [tool, dumped] = [await findTool('mongorestore'), samples.mongodump?.at(-1)];
  if (tool === null || dumped === undefined) return;
  const args = ['--quiet', `--uri=${mongo.uri}`, `--archive=${join(folder, 'mongodump.archive')}`, `--nsFrom=${DATABASE}.*`, '--nsTo=bench_tool.*', '--numInsertionWorkersPerCollection=4'];
  const seconds = await runTool(tool, args);
  keep('mongorestore', { seconds, bytes: dumped.bytes, cpuSeconds: null, peakRssBytes: null });
  await client.db('bench_tool').dropDatabase();
}

function optionsOf(round: number): WorkOptions {
  return { uri: mongo.uri, repository: join(folder, `repository-${round}`), folder: join(folder, 'work'), flatFile: join(folder, 'orders.bson') };
}

function sizeOf(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(MB|GB|TB)$/i.exec(text) ?? [];
  if (number === undefined || unit === undefined) throw new Error(`--size ${text}: write a number and MB, GB or TB`);
  return Number(number) * (UNITS[unit.toUpperCase()] ?? 1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001B[2K${text}`);
}
