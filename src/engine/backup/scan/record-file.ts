// The kernel's records of one scan, in scan order, on disk: 32 bytes for each document (id hash, document hash, length).
// With them the hash of the settled set is exact without reading any document again. A cluster may have tens of
// thousands of collections, so no file stays open, and the smallest stay in memory.
import { appendFile, open, rm } from 'node:fs/promises';
import { RECORD_BYTES } from '../../bson/index.ts';

/** Records that are kept elsewhere. */
export interface RecordFront {
  /** Block by block, each a whole number of records. */
  blocks(): AsyncIterable<Uint8Array>;
  /** True where reading them costs as much as reading the documents. */
  readonly isRebuilt: boolean;
}

export interface RecordFile {
  /** Takes a copy of the records; call `flush` before much has gathered. */
  add(records: Uint8Array): void;
  /** Writes what has gathered once it is worth a write. */
  flush(): Promise<void>;
  /** The scan is over: what is more than a little goes to disk. */
  finish(): Promise<void>;
  /** What is before the first record that is added; only after `clear`, or before anything else. */
  begin(front: RecordFront): void;
  readonly front: RecordFront | null;
  /** All records, block by block, each a whole number of records; valid until the next block. */
  blocks(): AsyncIterable<Uint8Array>;
  /** Forgets everything: the scan begins again, or nobody needs it any more. */
  clear(): Promise<void>;
}

const WRITE_BYTES = 256 * 1024;
const KEPT_BYTES = 4 * 1024;
const READ_BYTES = 8192 * RECORD_BYTES;

/** @param path a file that does not exist yet */
export function createRecordFile(path: string): RecordFile {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let written = 0;
  let front: RecordFront | null = null;

  const write = async (): Promise<void> => {
    const block = Buffer.concat(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
    await appendFile(path, block, { mode: 0o600 });
    written += block.length;
  };
  return {
    add(records) {
      pending.push(records.slice());
      pendingBytes += records.length;
    },
    async flush() {
      if (pendingBytes >= WRITE_BYTES) await write();
    },
    async finish() {
      if (pendingBytes > KEPT_BYTES) await write();
    },
    begin(given) {
      front = given;
    },
    get front() { return front; },
    async *blocks() {
      if (front !== null) yield* front.blocks();
      if (written > 0) yield* readBlocks(path, written);
      if (pendingBytes > 0) yield Buffer.concat(pending, pendingBytes);
    },
    async clear() {
      pending = [];
      pendingBytes = 0;
      if (written > 0) await rm(path, { force: true });
      written = 0;
      front = null;
    },
  };
}

async function* readBlocks(path: string, bytes: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const block = Buffer.allocUnsafe(READ_BYTES);
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await file.read(block, 0, Math.min(READ_BYTES, bytes - at), at);
      if (bytesRead === 0 || bytesRead % RECORD_BYTES !== 0) throw new Error(`The records of a scan end early, at byte ${at + bytesRead} of ${bytes}`);
      yield block.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}
