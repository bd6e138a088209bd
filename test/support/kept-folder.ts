// Programs that tests bring in, kept in the cache folder: made once, whole or not at all.
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FETCH_MS = 600_000;

/**
 * Fills a private folder, then renames it into place: whoever comes second takes what the first one left.
 * @param proof a file that is there when it is whole
 */
export async function keepFolder(cache: string, name: string, proof: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const target = join(cache, name);
  if (await isThere(join(target, proof))) return target;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, '.part-'));
  try {
    await fill(folder);
    if (!(await isThere(join(folder, proof)))) throw new Error(`${name} came without ${proof}`);
    await rm(target, { recursive: true, force: true });
    await rename(folder, target).catch(async (error: unknown) => {
      if (!(await isThere(join(target, proof)))) throw error;
    });
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws Error with the last words of pip, and what else would do */
export async function pipInstall(requirement: string, folder: string, { env, otherwise }: { readonly env: NodeJS.ProcessEnv; readonly otherwise: string }): Promise<void> {
  await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, requirement], { timeout: FETCH_MS, env }).catch((error: { readonly stderr?: string }) => {
    throw new Error(`pip could not install ${requirement}. ${otherwise} ${error.stderr?.trim().split('\n').at(-1) ?? ''}`, { cause: error });
  });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
