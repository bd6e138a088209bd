// Ends servers whose test process died without a word (kill -9 included): a shell that waits on a pipe
// from us and acts when the pipe closes.
import { spawn } from 'node:child_process';

export interface Watchdog {
  /** Puts a process under watch; its command line must name the folder. */
  watch(pid: number): void;
  /** Calls the watch off. Safe to call twice. */
  dismiss(): void;
}

// A pid may belong to someone else by now, so the command line has to name our folder (Linux can tell).
const SCRIPT = `
trap '' INT TERM HUP
pids=
while read -r pid; do pids="$pids $pid"; done
for pid in $pids; do
  if [ -r "/proc/$pid/cmdline" ]; then
    case "$(tr '\\0' ' ' < "/proc/$pid/cmdline")" in *"$1"*) kill -9 "$pid" ;; esac
  elif [ ! -d /proc/1 ]; then kill -9 "$pid"
  fi
done
rm -rf "$1"
`;

/** Watches processes that work in `folder`, which goes too when this process dies. */
export function startWatchdog(folder: string): Watchdog {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'leafvault-watchdog', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return {
    watch: (pid) => void shell.stdin.write(`${pid}\n`),
    dismiss: () => void shell.kill('SIGKILL'),
  };
}
