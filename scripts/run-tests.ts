// Runs the test files with Node's own runner. `--long` adds the long rounds of the random tests;
// other words are folders or files to run instead of everything: `npm run test:all -- test/storage`.
import { spawn } from 'node:child_process';
import { chmod, glob, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resolveCvpysdk } from '../test/support/cvpysdk.ts';
import { makeMemoryFolder } from '../test/support/memory-folder.ts';
import { resolveMongod } from '../test/support/mongod-binary.ts';
import { resolveS3Binaries } from '../test/support/s3-binaries.ts';

const ROOT = join(import.meta.dirname, '..');
// One more than the cores it has to run on: a file waits for elections, and for its own processes to start and end.
const FILES_AT_ONCE = 3;
// A run holds 2 GiB in its temp folder at most, and its servers 4 beside it.
const MEMORY_FOLDER_BYTES = 8 * 2 ** 30;
const V8_FLAGS = [
  // As `main.ts` sets it: without it a test that reads or writes many buffers spends a quarter of its CPU on garbage (decision 0015).
  '--external-memory-accounted-in-global-limit',
  // Hundreds of short processes load a thousand modules each, which all stay: copied less often while the heap grows.
  '--min-semi-space-size=16',
];
// Of a file as well as of a test: a loaded machine takes minutes for the longest file.
const TEST_TIMEOUT_MS = 1_800_000;
const LONG_TEST_TIMEOUT_MS = 3_600_000;

const words = process.argv.slice(2);
const long = words.includes('--long');
const flags = words.filter((word) => word.startsWith('--') && word !== '--long');
const places = words.filter((word) => !word.startsWith('--'));

process.exitCode = await main();

async function main(): Promise<number> {
  const files = await findTestFiles(places.length > 0 ? places : ['test']);
  if (files.length === 0) {
    console.error(`No test files below ${places.join(', ')}`);
    return 1;
  }
  const mongod = await resolveMongod().catch((error: Error) => error);
  if (mongod instanceof Error) {
    console.error(mongod.message);
    return 1;
  }
  const s3 = files.some((file) => file.includes('s3')) ? await findS3() : {};
  if (s3 instanceof Error) {
    console.error(s3.message);
    return 1;
  }
  const cvpysdk = files.some((file) => file.includes('cvpysdk')) ? await resolveCvpysdk((text) => console.error(text)).catch((error: Error) => error) : null;
  if (cvpysdk instanceof Error) {
    console.error(cvpysdk.message);
    return 1;
  }
  console.error(`Testing ${files.length} files with ${mongod.version} (${mongod.source}) on Node ${process.version}`);
  // Hundreds of processes read the same sources: compiled once, each starts in half the CPU time.
  const compiled = await mkdtemp(join(tmpdir(), 'leafvault-compiled-'));
  // The long rounds write too much for that; who names a folder gets it.
  const memory = long || process.env.TMPDIR !== undefined ? null : await makeMemoryFolder({ neededBytes: MEMORY_FOLDER_BYTES });
  const templates = await mkdtemp(join(memory ?? tmpdir(), 'leafvault-templates-'));
  // As above it: servers run as another user.
  await chmod(templates, 0o755);
  try {
    return await runNode(files, {
      ...process.env,
      ...(memory === null ? {} : { TMPDIR: memory }),
      NODE_COMPILE_CACHE: compiled,
      LEAFVAULT_TEST_TEMPLATES: templates,
      LEAFVAULT_MONGOD: mongod.path,
      ...s3,
      ...(cvpysdk === null ? {} : { LEAFVAULT_CVPYSDK: cvpysdk }),
      ...(long ? { LEAFVAULT_LONG_TESTS: '1' } : {}),
    });
  } finally {
    for (const folder of [compiled, templates, memory]) if (folder !== null) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Before the tests, so that no two of them fetch at once. */
async function findS3(): Promise<Record<string, string> | Error> {
  const found = await resolveS3Binaries((text) => console.error(text)).catch((error: Error) => error);
  if (found instanceof Error) return found;
  if (!(found.versitygw instanceof Error)) return { LEAFVAULT_MOTO: found.moto, LEAFVAULT_VERSITYGW: found.versitygw };
  console.error(`LEFT OUT: the tests on the S3 server versitygw, ${found.versitygw.message}`);
  return { LEAFVAULT_MOTO: found.moto };
}

async function findTestFiles(roots: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const root of roots) {
    const isFile = await stat(join(ROOT, root)).then((found) => found.isFile(), () => false);
    if (isFile) files.push(root);
    else for await (const file of glob(`${root}/**/*.test.ts`, { cwd: ROOT })) files.push(file);
  }
  return files.sort();
}

function runNode(files: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const args = [
    ...V8_FLAGS,
    '--test',
    `--test-concurrency=${FILES_AT_ONCE}`,
    // A file whose tests are over and that something holds open fails.
    `--import=${pathToFileURL(join(ROOT, 'test/support/end-by-itself.ts')).href}`,
    `--test-timeout=${long ? LONG_TEST_TIMEOUT_MS : TEST_TIMEOUT_MS}`,
    '--test-reporter=spec',
    ...flags,
    ...files,
  ];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
