// The raw bytes of slices, compressed and back, in the threads of the runtime: a slice may have 64 MiB.
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { damaged } from '../format/damage.ts';
import type { SliceData } from '../format/numbered-object.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

// Slices are written once a minute and kept for long: the usual level, not the fastest.
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3 };

/** Compressed where that is smaller. */
export async function packSliceData(raw: Uint8Array): Promise<SliceData> {
  const frame = raw.length === 0 ? raw : await compress(raw, { params: PARAMS });
  return frame.length < raw.length ? { encoding: 'zstd', bytes: frame } : { encoding: 'stored', bytes: raw };
}

/** @param name for the error @throws REPOSITORY_OBJECT_DAMAGED */
export async function unpackSliceData(name: string, { encoding, bytes }: SliceData, rawBytes: number): Promise<Buffer> {
  let raw: Buffer;
  try {
    raw = encoding === 'zstd' ? await decompress(bytes, { maxOutputLength: Math.max(1, rawBytes) }) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (cause) {
    throw damaged(name, 'its data do not decompress', cause);
  }
  if (raw.length !== rawBytes) throw damaged(name, `its data have ${raw.length} bytes where ${rawBytes} are due`);
  return raw;
}
