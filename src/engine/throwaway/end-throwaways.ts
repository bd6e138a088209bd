// What a dead worker and its guard left: servers that still run on folders of its jobs.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endProcess } from './end-process.ts';
import { PID_FILE } from './throwaway-files.ts';

/** Kills every throw-away server in `folder` and one level below its folders; the files are the caller's to remove. */
export async function endThrowaways(folder: string): Promise<void> {
  for (const job of await readdir(folder).catch(() => [])) {
    for (const each of await readdir(join(folder, job)).catch(() => [])) {
      const place = join(folder, job, each);
      const pid = Number(await readFile(join(place, PID_FILE), 'utf8').catch(() => ''));
      // Without one nothing was put into the server yet.
      if (Number.isInteger(pid) && pid > 1) await endProcess(pid, place);
    }
  }
}
