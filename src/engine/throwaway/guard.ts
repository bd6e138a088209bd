// Ends a throw-away server when this process dies without a word: a shell that waits on a pipe from us and acts when it closes.
import { spawn } from 'node:child_process';

export interface Guard {
  /** Calls it off. Safe to call twice. */
  dismiss(): void;
}

// The id may be another's by then, so the command line has to name the folder.
const SCRIPT = `
trap '' INT TERM HUP
while read -r line; do :; done
if [ -r "/proc/$2/cmdline" ]; then command=$(tr '\\0' ' ' < "/proc/$2/cmdline"); else command=$(ps -o command= -p "$2" 2>/dev/null); fi
case "$command" in *"$1"*) kill -9 "$2" ;; esac
# A server that is just dying may still put something there.
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
`;

/** @param folder named by the command line of `pid`; removed when this process dies */
export function startGuard(folder: string, pid: number): Guard {
  // A group of its own: whoever signals ours does not end it.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'leafvault-guard', folder, String(pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // Where there is no shell, the next start of a worker does it.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return { dismiss: () => void shell.kill('SIGKILL') };
}
