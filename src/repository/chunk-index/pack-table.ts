// The packs that the index knows, by number: 20 bytes each instead of an object.

export interface PackTable {
  /** @returns the pack's number */
  add(packId: string, sizeBytes: number): number;
  idOf(packNumber: number): string;
  sizeOf(packNumber: number): number;
  readonly count: number;
  readonly totalBytes: number;
}

const ROW_BYTES = 20;

export function createPackTable(): PackTable {
  let rows = Buffer.alloc(ROW_BYTES * 64);
  let count = 0;
  let totalBytes = 0;
  return {
    add(packId, sizeBytes) {
      if ((count + 1) * ROW_BYTES > rows.length) rows = Buffer.concat([rows, Buffer.alloc(rows.length)]);
      rows.write(packId, count * ROW_BYTES, 'hex');
      rows.writeDoubleLE(sizeBytes, count * ROW_BYTES + 12);
      count += 1;
      totalBytes += sizeBytes;
      return count - 1;
    },
    idOf: (packNumber) => rows.toString('hex', packNumber * ROW_BYTES, packNumber * ROW_BYTES + 12),
    sizeOf: (packNumber) => rows.readDoubleLE(packNumber * ROW_BYTES + 12),
    get count() {
      return count;
    },
    get totalBytes() {
      return totalBytes;
    },
  };
}
