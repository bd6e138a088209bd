// Ends a process by its id, and only if its command line says that it is the one that is meant.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { sleep } from '../../foundation/abort.ts';

const run = promisify(execFile);
const LOOK_MS = 20;
const PATIENCE_MS = 10_000;

/** SIGKILL, and gone when it resolves. Nothing where the id belongs to something else by now. */
export async function endProcess(pid: number, folder: string): Promise<void> {
  for (let waitedMs = 0; (await commandOf(pid)).includes(folder) && waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      return;
    }
    await sleep(LOOK_MS);
  }
}

/** Empty where there is no such process, or it ended and was not collected. */
async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return run('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout, () => '');
}
