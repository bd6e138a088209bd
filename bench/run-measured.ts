// Runs a piece of work, ours or a tool of MongoDB, in a child process and measures it.
import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { WorkOptions } from './works.ts';

export interface Measured {
  readonly seconds: number;
  /** Of the child alone; null for tools that are not asked. */
  readonly cpuSeconds: number | null;
  readonly peakRssBytes: number | null;
  readonly bytes: number;
  readonly storedBytes?: number;
}

export async function runWork(name: string, options: WorkOptions): Promise<Measured> {
  const text = await runChild(process.execPath, [join(import.meta.dirname, 'measure.ts'), name, JSON.stringify(options)]);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as Measured;
}

/** The doors with 100,000 rows behind them: `seconds` is the worst 99th percentile of a request. */
export async function runDoors(): Promise<Measured> {
  const text = await runChild(process.execPath, [join(import.meta.dirname, 'doors.ts')]);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as Measured;
}

/** @returns seconds of wall time */
export async function runTool(path: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  await runChild(path, args);
  return (performance.now() - began) / 1000;
}

export async function findTool(name: string): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    if (await access(path, constants.X_OK).then(() => true, () => false)) return path;
  }
  return null;
}

function runChild(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => { out += part; });
  child.stderr.setEncoding('utf8').on('data', (part: string) => { err = (err + part).slice(-4_000); });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args[1] ?? ''} ended with ${code}: ${err}`));
    });
  });
}
