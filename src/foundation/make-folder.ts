// Makes a folder and those above it. Node's own recursive mkdir never ends below a place that says "no such file" to
// every mkdir, such as /proc (Node 24.21).
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** @throws what the file system says */
export async function makeFolder(path: string, options: { readonly mode?: number } = {}): Promise<void> {
  await makeBelow(resolve(path), options, true);
}

async function makeBelow(path: string, options: { readonly mode?: number }, first: boolean): Promise<void> {
  try {
    await mkdir(path, options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const above = dirname(path);
    if (code !== 'ENOENT' || !first || above === path) throw error;
    await makeFolder(above, options);
    await makeBelow(path, options, false);
  }
}
