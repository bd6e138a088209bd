// Ends a throw-away server when this process dies without a word: a shell that waits on a pipe from us and acts when it closes.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { LeafvaultError } from '../../foundation/errors.ts';
import { PID_FILE } from './throwaway-files.ts';

export interface Guard {
  /** From here on it ends this process, too; before that, whatever has written its id into the folder. */
  watch(pid: number): void;
  /** Calls it off. Safe to call twice. */
  dismiss(): void;
}

// The id may be another's by then, so the command line has to name the folder.
const SCRIPT = `
trap '' INT TERM HUP
pid=
while read -r line; do pid=$line; done
[ -n "$pid" ] || pid=$(cat "$1/${PID_FILE}" 2>/dev/null)
if [ -n "$pid" ]; then
  if [ -r "/proc/$pid/cmdline" ]; then command=$(tr '\\0' ' ' < "/proc/$pid/cmdline"); else command=$(ps -o command= -p "$pid" 2>/dev/null); fi
  case "$command" in *"$1"*) kill -9 "$pid" ;; esac
fi
# A server that is just dying may still put something there.
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
`;

/** Where there is no shell, the next start of a worker ends what is left. */
const NO_GUARD: Guard = { watch: () => undefined, dismiss: () => undefined };

/**
 * It stands before the server is started: one that could not be guarded would run on for ever should this process die.
 * @param folder named by the command line of the server; removed when this process dies
 * @throws THROWAWAY_UNGUARDED where the system gives no process, or no descriptors for its pipe
 */
export async function startGuard(folder: string): Promise<Guard> {
  // A group of its own: whoever signals ours does not end it.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'leafvault-guard', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  try {
    await once(shell, 'spawn');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return NO_GUARD;
    throw new LeafvaultError('THROWAWAY_UNGUARDED', 'Starting a mongod for a drill failed: the process that would end it, should this one die, could not be started', {
      cause, hint: 'The machine, or the limit of this process (ulimit -n, ulimit -u), has no room for another process and its pipe: raise the limit, or let fewer jobs run at once',
    });
  }
  return guardOf(shell);
}

function guardOf(shell: ChildProcess): Guard {
  const { stdin } = shell;
  shell.on('error', () => undefined);
  stdin?.on('error', () => undefined);
  shell.unref();
  (stdin as unknown as { unref?(): void } | null)?.unref?.();
  return { watch: (pid) => void stdin?.write(`${pid}\n`), dismiss: () => void shell.kill('SIGKILL') };
}
