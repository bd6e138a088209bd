// Remembers pages below which everything was found sound, so that a page that many snapshots share is
// walked once. A fixed table: what is forgotten is only walked again.
import { createHash } from 'node:crypto';

export interface PageSums {
  readonly chunks: number;
  readonly records: number;
  readonly rawBytes: number;
}

export interface CleanPages {
  has(pageId: Buffer, height: number, sums: PageSums): boolean;
  add(pageId: Buffer, height: number, sums: PageSums): void;
}

const ROW_BYTES = 16;

/** @param rows a power of two; 16 bytes each */
export function createCleanPages(rows: number = 2 ** 18): CleanPages {
  const table = Buffer.alloc(rows * ROW_BYTES);
  // The sums belong to the key: a page is clean for those who say the right thing about it.
  const keyOf = (pageId: Buffer, height: number, { chunks, records, rawBytes }: PageSums): Buffer =>
    createHash('sha256').update(pageId).update(`${height} ${chunks} ${records} ${rawBytes}`).digest().subarray(0, ROW_BYTES);
  const rowOf = (key: Buffer): number => (key.readUInt32LE(0) & (rows - 1)) * ROW_BYTES;
  return {
    has(pageId, height, sums) {
      const key = keyOf(pageId, height, sums);
      const row = rowOf(key);
      return key.equals(table.subarray(row, row + ROW_BYTES));
    },
    add(pageId, height, sums) {
      const key = keyOf(pageId, height, sums);
      key.copy(table, rowOf(key));
    },
  };
}
