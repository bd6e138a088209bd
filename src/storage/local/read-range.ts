// Reads exactly the bytes that were asked for, or fails.
import type { FileHandle } from 'node:fs/promises';
import { throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';

const PIECE_BYTES = 4 * 1024 * 1024;

export async function readRange(
  file: FileHandle, name: string, range: { readonly offset: number; readonly length: number } | undefined, signal: AbortSignal | undefined,
): Promise<Buffer> {
  const { size } = await file.stat();
  const offset = range?.offset ?? 0;
  const length = range?.length ?? size;
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new LeafvaultError('STORAGE_RANGE_INVALID', `Reading bytes ${offset} to ${offset + length} of ${name} failed: it has ${size}`, {
      details: { name, sizeBytes: size },
    });
  }
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    throwIfAborted(signal);
    const { bytesRead } = await file.read(bytes, done, Math.min(PIECE_BYTES, length - done), offset + done);
    if (bytesRead === 0) {
      throw new LeafvaultError('STORAGE_FAILED', `Reading ${name} failed: the file ended ${length - done} bytes early`, { details: { name } });
    }
    done += bytesRead;
  }
  return bytes;
}
