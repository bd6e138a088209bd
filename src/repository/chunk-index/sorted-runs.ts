// Records of 64 bytes, sorted by their first 32, as runs in memory and in a local folder. Memory is fixed, whatever their number.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import { mergeRuns } from './merge-runs.ts';
import { createPageCache } from './page-cache.ts';
import { memoryRun, writeFileRun, type Run } from './run.ts';

export interface SortedRunsOptions {
  /** Where the runs may lie; a private folder is made inside when it is needed, and removed by `close`. */
  readonly tempDir: string;
  /** Records kept in memory before they go to a file. Default 8 MiB. */
  readonly memoryRunBytes?: number;
  /** For `find`. Default 16 MiB. */
  readonly pageCacheBytes?: number;
}

export interface SortedRuns {
  /** Takes over records that are sorted among themselves. One call at a time. */
  add(sorted: Buffer): Promise<void>;
  /** All with these first 32 bytes; views that are valid until something is added. */
  find(id: Buffer): Promise<Buffer[]>;
  /** All in order, in pieces valid until the next is asked for; nothing may be added meanwhile. */
  pieces(): AsyncIterable<Buffer>;
  clear(): Promise<void>;
  /** Nothing may be under way. */
  close(): Promise<void>;
}

const MERGE_AT = 8;

export function createSortedRuns({ tempDir, memoryRunBytes = 8 * 1024 * 1024, pageCacheBytes = 16 * 1024 * 1024 }: SortedRunsOptions): SortedRuns {
  const cache = createPageCache(pageCacheBytes);
  let inMemory: Run[] = [];
  let onDisk: Run[] = [];
  let folder: Promise<string> | null = null;
  let nextRun = 0;
  let changes = 0;

  const runFile = async (pieces: AsyncIterable<Buffer>): Promise<Run> => {
    folder ??= mkdir(tempDir, { recursive: true }).then(() => mkdtemp(join(tempDir, 'index-')));
    nextRun += 1;
    return writeFileRun(join(await folder, `run-${nextRun}`), pieces, cache);
  };

  /** Runs of one order of magnitude become one of the next: a lookup meets few of them. */
  const mergeOnDisk = async (): Promise<void> => {
    const magnitude = (run: Run): number => Math.floor(Math.log(run.entries) / Math.log(MERGE_AT));
    for (;;) {
      const alike = onDisk.map((one) => onDisk.filter((other) => magnitude(other) === magnitude(one))).find((group) => group.length >= MERGE_AT / 2);
      if (alike === undefined) return;
      const merged = await runFile(mergeRuns(alike));
      onDisk = [...onDisk.filter((run) => !alike.includes(run)), merged];
      changes += 1;
      for (const run of alike) await run.discard();
    }
  };

  const findNow = async (id: Buffer): Promise<Buffer[]> => {
    const found: Buffer[] = [];
    for (const run of [...inMemory, ...onDisk]) found.push(...(await run.find(id)));
    return found;
  };

  return {
    async add(sorted) {
      inMemory = [...inMemory, memoryRun(sorted)];
      changes += 1;
      const held = inMemory.reduce((sum, run) => sum + run.entries, 0) * CHUNK_ENTRY_BYTES;
      if (held > memoryRunBytes) {
        const merged = inMemory;
        const run = await runFile(mergeRuns(merged));
        onDisk = [...onDisk, run];
        inMemory = inMemory.filter((one) => !merged.includes(one));
        await mergeOnDisk();
      } else if (inMemory.length > MERGE_AT) {
        inMemory = [memoryRun(await gathered(mergeRuns(inMemory), held))];
      }
    },
    async find(id) {
      for (;;) {
        const before = changes;
        try {
          return await findNow(id);
        } catch (error) {
          // A merge took the file away under the lookup: its records are in another run by now.
          if (before === changes) throw error;
        }
      }
    },
    pieces: () => mergeRuns([...inMemory, ...onDisk]),
    async clear() {
      const old = onDisk;
      [inMemory, onDisk] = [[], []];
      changes += 1;
      for (const run of old) await run.discard();
    },
    async close() {
      for (const run of onDisk.splice(0)) await run.discard();
      if (folder !== null) await rm(await folder, { recursive: true, force: true });
    },
  };
}

async function gathered(pieces: AsyncIterable<Buffer>, length: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for await (const piece of pieces) at += piece.copy(whole, at);
  return whole;
}
