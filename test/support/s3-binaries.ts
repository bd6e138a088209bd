// S3 servers to test against: moto, a Python program that pip brings, and versitygw, a Go program that is made where Go is at hand. Both are
// kept in the cache folder.
import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './mongod-binary.ts';

const run = promisify(execFile);

const MOTO = 'moto[server]==5.1.0';
const VERSITYGW = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';
const FETCH_MS = 600_000;

export interface S3Binaries {
  /** Folder for PYTHONPATH. */
  readonly moto: string;
  /** Path, or why there is none. */
  readonly versitygw: string | Error;
}

/** @throws Error that says how to get moto */
export async function resolveS3Binaries(say: (text: string) => void, env: NodeJS.ProcessEnv = process.env): Promise<S3Binaries> {
  const cache = join(dirname(cacheFolder(env)), 's3');
  return { moto: await findMoto(cache, env, say), versitygw: await findVersitygw(cache, env, say).catch((error: Error) => error) };
}

async function findMoto(cache: string, env: NodeJS.ProcessEnv, say: (text: string) => void): Promise<string> {
  if (env.LEAFVAULT_MOTO) return env.LEAFVAULT_MOTO;
  return keepInCache(cache, 'moto-5.1.0', join('bin', 'moto_server'), async (folder) => {
    say(`Fetching the S3 server ${MOTO} for Python …`);
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, MOTO], { timeout: FETCH_MS, env }).catch((error: { readonly stderr?: string }) => {
      throw new Error(`No S3 server to test against: pip could not install ${MOTO}. Set LEAFVAULT_MOTO to a folder that holds it. ${error.stderr?.trim().split('\n').at(-1) ?? ''}`, { cause: error });
    });
  });
}

async function findVersitygw(cache: string, env: NodeJS.ProcessEnv, say: (text: string) => void): Promise<string> {
  const places = [env.LEAFVAULT_VERSITYGW ?? '', ...(env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'versitygw'))].filter((path) => path.startsWith('/'));
  for (const path of places) if (await isExecutable(path)) return path;
  const folder = await keepInCache(cache, 'versitygw-1.8.0', 'versitygw', async (part) => {
    await run('go', ['version'], { env }).catch((error: unknown) => {
      throw new Error('there is no Go to make it with; install Go, or set LEAFVAULT_VERSITYGW to a versitygw', { cause: error });
    });
    say(`Making the S3 server ${VERSITYGW} with Go …`);
    await run('go', ['install', VERSITYGW], { timeout: FETCH_MS, env: { ...env, GOBIN: part, GOFLAGS: '' } });
  });
  return join(folder, 'versitygw');
}

/** Fills a private folder, then renames it into place: whoever comes second takes what the first one left. */
export async function keepInCache(cache: string, name: string, proof: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const target = join(cache, name);
  if (await isExecutable(join(target, proof))) return target;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, '.part-'));
  try {
    await fill(folder);
    if (!(await isExecutable(join(folder, proof)))) throw new Error(`${name} came without ${proof}`);
    await rm(target, { recursive: true, force: true });
    await rename(folder, target).catch(async (error: unknown) => {
      if (!(await isExecutable(join(target, proof)))) throw error;
    });
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(() => true, () => false);
}
