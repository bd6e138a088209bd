// The two durable steps of a put: bytes on disk, then the name.
import { link, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { throwIfAborted } from '../../foundation/abort.ts';
import type { Folders } from './folders.ts';
import { errnoOf } from './local-error.ts';

const PIECE_BYTES = 4 * 1024 * 1024;

/** Writes a new file and fsyncs it. */
export async function writeDurably(path: string, parts: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  for (const part of parts) await writeAll(file, part, signal);
  await file.sync();
}

/** Gives a finished file its name. @throws a system error EEXIST when the name is taken; it is durable then too */
export async function linkDurably(from: string, to: string, folders: Folders): Promise<void> {
  try {
    await link(from, to);
  } catch (cause) {
    // Who is told "exists" may rely on it, e.g. after the answer of an earlier try was lost.
    if (errnoOf(cause) === 'EEXIST') await folders.sync(dirname(to));
    throw cause;
  }
  await folders.sync(dirname(to));
}

async function writeAll(file: FileHandle, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    throwIfAborted(signal);
    const { bytesWritten } = await file.write(bytes, done, Math.min(PIECE_BYTES, bytes.length - done));
    done += bytesWritten;
  }
}
