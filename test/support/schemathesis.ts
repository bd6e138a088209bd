// Schemathesis, a Python program that pip brings and the cache folder keeps.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { keepFolder, pipInstall } from './kept-folder.ts';
import { cacheFolder } from './mongod-binary.ts';

const VERSION = '4.32.5';

/** @returns the folder for PYTHONPATH. @throws Error that says what pip said */
export async function resolveSchemathesis(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const cache = join(dirname(cacheFolder(env)), 'schemathesis');
  return keepFolder(cache, `schemathesis-${VERSION}`, join('bin', 'st'), (folder) => pipInstall(`schemathesis==${VERSION}`, folder, { env, otherwise: 'Without it the doors are not fuzzed.' }));
}

export interface SchemathesisRun {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs it in `cwd`, where its configuration lies, killed after `seconds`. */
export async function runSchemathesis(folder: string, args: readonly string[], { cwd, seconds }: { readonly cwd: string; readonly seconds: number }): Promise<SchemathesisRun> {
  const child = spawn('python3', [join(folder, 'bin', 'st'), ...args], { cwd, env: { ...process.env, PYTHONPATH: folder, NO_COLOR: '1', COLUMNS: '200' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text; });
  const kill = setTimeout(() => child.kill('SIGKILL'), seconds * 1_000);
  const exitCode = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  clearTimeout(kill);
  return { exitCode, output };
}
