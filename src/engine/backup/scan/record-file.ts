// The kernel's records of one scan, in scan order, on disk: 32 bytes for each document (id hash, document hash, length).
// With them the hash of the settled set is exact without reading any document again.
import { open, rm, type FileHandle } from 'node:fs/promises';
import { RECORD_BYTES } from '../../bson/index.ts';

export interface RecordFile {
  /** Takes a copy of the records; call `flush` before much has gathered. */
  add(records: Uint8Array): void;
  /** Writes what has gathered once it is worth a write. */
  flush(): Promise<void>;
  /** Reads all records, block by block, each a whole number of records; valid until the next block. */
  forEachBlock(use: (block: Uint8Array) => void): Promise<void>;
  /** Forgets everything: the scan begins again. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

const WRITE_BYTES = 256 * 1024;
const READ_BYTES = 8192 * RECORD_BYTES;

/** @param path a file that does not exist yet */
export async function createRecordFile(path: string): Promise<RecordFile> {
  const file: FileHandle = await open(path, 'wx+', 0o600);
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let written = 0;

  const write = async (): Promise<void> => {
    if (pendingBytes === 0) return;
    const block = Buffer.concat(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
    for (let at = 0; at < block.length; ) at += (await file.write(block, at, block.length - at, written + at)).bytesWritten;
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
    async forEachBlock(use) {
      await write();
      const block = Buffer.allocUnsafe(READ_BYTES);
      for (let at = 0; at < written; ) {
        const { bytesRead } = await file.read(block, 0, Math.min(READ_BYTES, written - at), at);
        if (bytesRead === 0 || bytesRead % RECORD_BYTES !== 0) throw new Error(`The records of a scan end early, at byte ${at + bytesRead} of ${written}`);
        use(block.subarray(0, bytesRead));
        at += bytesRead;
      }
    },
    async clear() {
      pending = [];
      pendingBytes = 0;
      written = 0;
      await file.truncate(0);
    },
    async close() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}
