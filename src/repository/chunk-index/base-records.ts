// What deltas rest on, in the local index: records of chunk id and base id, since an entry has no room for a second id
// (docs/design/deltas.md). The entry keeps the first u32 of the base id, so that each of two copies finds its own.
import { CHUNK_ENTRY_BYTES, CHUNK_ID_BYTES, CHUNK_TYPES } from '../format/chunk-entry.ts';
import { sortEntries } from './sort-entries.ts';

/**
 * Takes the place of a base in the table of an index out of each delta's entry, and puts the beginning of the base's id there.
 * @param table ids of 32 bytes; whoever read the index has seen that each delta has its base in it
 * @returns one record for each delta, sorted
 */
export function takeBases(entries: Buffer, table: Buffer | undefined): Buffer {
  const places: number[] = [];
  for (let at = 0; at < entries.length; at += CHUNK_ENTRY_BYTES) if (entries[at + 32] === CHUNK_TYPES.delta) places.push(at);
  const records = Buffer.alloc(places.length * CHUNK_ENTRY_BYTES);
  places.forEach((at, i) => {
    const from = entries.readUInt32LE(at + 52) * CHUNK_ID_BYTES;
    entries.copy(records, i * CHUNK_ENTRY_BYTES, at, at + CHUNK_ID_BYTES);
    table?.copy(records, i * CHUNK_ENTRY_BYTES + CHUNK_ID_BYTES, from, from + CHUNK_ID_BYTES);
    entries.writeUInt32LE(beginningOf(records, i * CHUNK_ENTRY_BYTES), at + 52);
  });
  return sortEntries(records);
}

/** The base among the records of one chunk that begins with these 4 bytes. Null: there is none. */
export function baseIn(records: readonly Buffer[], beginning: number): Buffer | null {
  const record = records.find((each) => beginningOf(each, 0) === beginning);
  return record === undefined ? null : record.subarray(CHUNK_ID_BYTES, CHUNK_ENTRY_BYTES);
}

/** Of the base id in the record at this place. */
export function beginningOf(records: Buffer, at: number): number {
  return records.readUInt32LE(at + CHUNK_ID_BYTES);
}
