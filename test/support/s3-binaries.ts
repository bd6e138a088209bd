// S3 servers to test against: moto, a Python program that pip brings, and versitygw, a Go program that is made where Go is at hand. Both are
// kept in the cache folder.
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { keepFolder, pipInstall } from './kept-folder.ts';
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
  return keepFolder(cache, 'moto-5.1.0', join('bin', 'moto_server'), async (folder) => {
    say(`Fetching the S3 server ${MOTO} for Python …`);
    await pipInstall(MOTO, folder, { env, otherwise: 'Without it there is no S3 server to test against. Set LEAFVAULT_MOTO to a folder that holds it.' });
  });
}

async function findVersitygw(cache: string, env: NodeJS.ProcessEnv, say: (text: string) => void): Promise<string> {
  const places = [env.LEAFVAULT_VERSITYGW ?? '', ...(env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'versitygw'))].filter((path) => path.startsWith('/'));
  for (const path of places) if (await isExecutable(path)) return path;
  const folder = await keepFolder(cache, 'versitygw-1.8.0', 'versitygw', async (part) => {
    await run('go', ['version'], { env }).catch((error: unknown) => {
      throw new Error('there is no Go to make it with; install Go, or set LEAFVAULT_VERSITYGW to a versitygw', { cause: error });
    });
    say(`Making the S3 server ${VERSITYGW} with Go …`);
    await run('go', ['install', VERSITYGW], { timeout: FETCH_MS, env: { ...env, GOBIN: part, GOFLAGS: '' } });
  });
  return join(folder, 'versitygw');
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(() => true, () => false);
}
