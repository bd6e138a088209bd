// zstd for one thread, as fast as this runtime can: one context is kept and every chunk is a frame of its
// own. Making a context for each chunk (`zstdCompressSync`) costs a third of the speed; the numbers are in
// docs/decisions/0012-chunk-compression.md. Reaching the context goes through internals of node:zlib, so a
// self-test at the start decides, and the public calls are the fallback.
import {
  constants, createZstdCompress, createZstdDecompress, zstdCompressSync, zstdDecompressSync, type ZstdCompress, type ZstdDecompress,
} from 'node:zlib';

export interface Zstd {
  /** Compresses into `target` (at least `compressBound(raw.length)` long) and returns the length. */
  compress(raw: Uint8Array, target: Uint8Array): number;
  /** @throws Error unless `target` is filled exactly */
  decompress(stored: Uint8Array, target: Uint8Array): void;
  /** A frame that says how `raw` differs from `base`: raw content as dictionary. @param base one that `isBase` takes */
  compressDelta(raw: Uint8Array, base: Uint8Array): Buffer;
  /** @throws Error unless `target` is filled exactly */
  decompressDelta(stored: Uint8Array, base: Uint8Array, target: Uint8Array): void;
  /** False when the public calls are in use. */
  readonly persistent: boolean;
}

// Level 1 with tables that fit a chunk: what level 1 takes for long inputs only costs cache misses here.
const PARAMS = {
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_windowLog]: 17,
  [constants.ZSTD_c_hashLog]: 15,
  [constants.ZSTD_c_minMatch]: 6,
};

/** Upper bound of a frame's length, as ZSTD_compressBound. */
export function compressBound(rawBytes: number): number {
  return rawBytes + Math.ceil(rawBytes / 256) + 512;
}

/** One per thread. */
export function createZstd(): Zstd {
  return persistentZstd() ?? publicZstd();
}

/** zstd takes bytes that begin so for a trained dictionary instead of for content (RFC 8878, section 5). */
const TRAINED = Buffer.from([0x37, 0xa4, 0x30, 0xec]);

/** Whether these bytes can be the base of a delta. */
export function isBase(raw: Uint8Array): boolean {
  return raw.length >= 8 && Buffer.compare(raw.subarray(0, 4), TRAINED) !== 0;
}

/** The window has to reach back over the chunk and its base: what lies outside is not found. */
function windowLogFor(bytes: number): number {
  return Math.min(27, Math.max(17, Math.ceil(Math.log2(bytes))));
}

// A context takes its dictionary when it is made, so none is kept: a delta costs one of its own. Level 3, because level 1 puts too few
// places of the dictionary into its table: a delta of one changed document is thirty times as long.
const deltas: Pick<Zstd, 'compressDelta' | 'decompressDelta'> = {
  compressDelta(raw, base) {
    const windowLog = windowLogFor(raw.length + base.length);
    // Of a dictionary zstd looks at the last 8 bytes for each place in its table alone. Larger tables find no more, and filling them is most of the work.
    const hashLog = Math.max(14, Math.ceil(Math.log2(base.length / 8)));
    const params = {
      [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: windowLog, [constants.ZSTD_c_hashLog]: hashLog, [constants.ZSTD_c_chainLog]: hashLog - 1,
    };
    return zstdCompressSync(raw, { params, dictionary: base, pledgedSrcSize: raw.length });
  },
  decompressDelta(stored, base, target) {
    // In one piece, with room to see that it ends there: pieces would be put together afterwards.
    const raw = zstdDecompressSync(stored, { maxOutputLength: target.length, chunkSize: target.length + 64, dictionary: base });
    if (raw.length !== target.length) throw new Error(`zstd gave ${raw.length} bytes where ${target.length} are due`);
    target.set(raw);
  },
};

/** The public calls only. */
export function publicZstd(): Zstd {
  return {
    persistent: false,
    ...deltas,
    compress(raw, target) {
      const frame = zstdCompressSync(raw, { params: PARAMS });
      target.set(frame);
      return frame.length;
    },
    decompress(stored, target) {
      const raw = zstdDecompressSync(stored, { maxOutputLength: target.length });
      if (raw.length !== target.length) throw new Error(`zstd gave ${raw.length} bytes where ${target.length} are due`);
      target.set(raw);
    },
  };
}

interface ZlibHandle {
  /** Called by `writeSync` when the input is broken. */
  onerror: (message: string) => void;
  writeSync(flush: number, source: Uint8Array, at: number, length: number, target: Uint8Array, targetAt: number, room: number): void;
}

interface ZlibInternals {
  /** Keeps the handle alive. */
  readonly stream: unknown;
  readonly handle: ZlibHandle;
  /** [room left in the target, bytes left of the source] after a call. */
  readonly state: Uint32Array;
  /** Set by the first error; the context is of no use after it. */
  failure: string | null;
}

function persistentZstd(): Zstd | null {
  const compressor = internalsOf(createZstdCompress({ params: PARAMS }));
  let decompressor = internalsOf(createZstdDecompress());
  if (compressor === null || decompressor === null) return null;
  const zstd: Zstd = {
    persistent: true,
    ...deltas,
    compress(raw, target) {
      compressor.handle.writeSync(constants.ZSTD_e_end, raw, 0, raw.length, target, 0, target.length);
      const [room = 0, left = 1] = compressor.state;
      // No room left could mean an unfinished frame; `compressBound` leaves some, always.
      if (left !== 0 || room === 0 || compressor.failure !== null) throw new Error('zstd did not finish its frame');
      return target.length - room;
    },
    decompress(stored, target) {
      // Where the frame does not say that it fills the target exactly, the context might keep a rest of it.
      if (contentSizeOf(stored) === target.length) {
        decompressor?.handle.writeSync(constants.ZSTD_e_end, stored, 0, stored.length, target, 0, target.length);
        const [room = 1, left = 1] = decompressor?.state ?? [];
        if (left === 0 && room === 0 && decompressor?.failure === null) return;
        decompressor = internalsOf(createZstdDecompress());
      }
      publicZstd().decompress(stored, target);
    },
  };
  internalsWork ??= passesSelfTest(zstd);
  return internalsWork ? zstd : null;
}

// What this runtime can do does not change while it runs.
let internalsWork: boolean | null = null;

const DICTIONARY_ID_BYTES = [0, 1, 2, 4];

/** What a frame's header says about its raw length, or null (RFC 8878, section 3.1.1.1). */
function contentSizeOf(frame: Uint8Array): number | null {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < 14 || bytes.readUInt32LE(0) !== 0xfd2fb528) return null;
  const descriptor = bytes.readUInt8(4);
  const single = (descriptor >>> 5) & 1;
  const at = 5 + (1 - single) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0);
  switch (descriptor >>> 6) {
    case 0:
      return single === 1 ? bytes.readUInt8(at) : null;
    case 1:
      return bytes.readUInt16LE(at) + 256;
    case 2:
      return bytes.readUInt32LE(at);
    default:
      return null;
  }
}

function internalsOf(stream: ZstdCompress | ZstdDecompress): ZlibInternals | null {
  const { _handle: handle, _writeState: state } = stream as unknown as { readonly _handle?: ZlibHandle; readonly _writeState?: Uint32Array };
  if (typeof handle?.writeSync !== 'function' || typeof handle.onerror !== 'function' || !(state instanceof Uint32Array)) return null;
  const internals: ZlibInternals = { stream, handle, state, failure: null };
  // Left alone, an error would destroy the stream, and writing to a destroyed one ends the process.
  handle.onerror = (message) => {
    internals.failure ??= message;
  };
  return internals;
}

/** Several chunks in a row, short and long, soft and hard, read back by the public calls and by our own. */
function passesSelfTest(zstd: Zstd): boolean {
  try {
    return [1, 100, 70_000, 300_000, 5].every((length, round) => {
      const raw = Buffer.alloc(length);
      for (let i = 0; i < length; i += 1) raw[i] = round % 2 === 0 ? (i * i) >>> (i & 7) : i % 7;
      const target = Buffer.alloc(compressBound(length));
      const frame = target.subarray(0, zstd.compress(raw, target));
      const back = Buffer.alloc(length);
      zstd.decompress(frame, back);
      return back.equals(raw) && zstdDecompressSync(frame).equals(raw);
    });
  } catch {
    return false; // Another version of node: the public calls serve.
  }
}
