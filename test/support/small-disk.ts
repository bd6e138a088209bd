// A file system of a few MiB, to be filled. Only root can mount one.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface SmallDisk {
  /** Such as `128m`. */
  resize(size: string): void;
  /** Takes every byte that is left. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  unmount(): void;
}

/** @returns null where nothing can be mounted (a container without the right to): the test is marked as skipped, and ends */
export function mountSmallDisk(t: TestContext, folder: string, size: string): SmallDisk | null {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', folder], { encoding: 'utf8' });
  if (status !== 0) {
    t.skip(`no file system can be mounted here: ${stderr}`);
    return null;
  }
  const filler = join(folder, 'filler');
  return {
    resize: (to) => void spawnSync('mount', ['-o', `remount,size=${to}`, folder]),
    fill: () => void spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']),
    free: () => rm(filler, { force: true }),
    unmount: () => void spawnSync('umount', ['-l', folder]),
  };
}
