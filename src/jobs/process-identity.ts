// Which process this is, so that a later one on the same machine can tell at once whether it is still alive.
import { randomBytes } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { WorkerProcess } from '../catalog/index.ts';
import { isProcessAlive } from '../foundation/process-alive.ts';

/** `host` differs between machines and between containers on one; a process id means nothing outside of it. */
export async function thisProcess(): Promise<WorkerProcess> {
  const [boot, namespace, start] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
    processStart(process.pid),
  ]);
  return {
    id: `${hostname()}-${process.pid}-${randomBytes(6).toString('hex')}`,
    host: [hostname(), boot.trim(), namespace].filter((part) => part !== '').join('/'),
    pid: process.pid,
    processStart: start ?? '',
  };
}

/** True only when it is certain: the process is gone, or its id belongs to another one now. */
export async function isDead({ pid, processStart: began }: WorkerProcess): Promise<boolean> {
  if (!isProcessAlive(pid)) return true;
  if (process.platform !== 'linux') return false;
  return (await processStart(pid)) !== began;
}

/** Clock ticks since the boot; null when there is no such process, or it ended and was not collected. */
async function processStart(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The second field is the program's name in brackets, which may hold anything; fields are counted behind it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return null;
  return fields[19] ?? null;
}
