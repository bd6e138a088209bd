// The packs that the index knows, by number: 20 bytes each instead of an object.

export interface PackTable {
  /** @returns the pack's number */
  add(packId: string, sizeBytes: number): number;
  idOf(packNumber: number): string;
  sizeOf(packNumber: number): number;
  /** Ids of all, as they are now. Packs are few beside chunks: one short string each, for as long as it is held. */
  ids(): ReadonlySet<string>;
  readonly count: number;
  readonly totalBytes: number;
}

const ROW_BYTES = 20;

export function createPackTable(): PackTable {
  let rows = Buffer.alloc(ROW_BYTES * 64);
  let count = 0;
  let totalBytes = 0;
  const idOf = (packNumber: number): string => rows.toString('hex', packNumber * ROW_BYTES, packNumber * ROW_BYTES + 12);
  return {
    add(packId, sizeBytes) {
      if ((count + 1) * ROW_BYTES > rows.length) rows = Buffer.concat([rows, Buffer.alloc(rows.length)]);
      rows.write(packId, count * ROW_BYTES, 'hex');
      rows.writeDoubleLE(sizeBytes, count * ROW_BYTES + 12);
      count += 1;
      totalBytes += sizeBytes;
      return count - 1;
    },
    idOf,
    sizeOf: (packNumber) => rows.readDoubleLE(packNumber * ROW_BYTES + 12),
    ids: () => new Set(Array.from({ length: count }, (_, packNumber) => idOf(packNumber))),
    get count() {
      return count;
    },
    get totalBytes() {
      return totalBytes;
    },
  };
}
