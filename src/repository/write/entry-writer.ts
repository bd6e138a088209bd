// Turns entries into chunks of whole entries, and those into a list.
import { endsEntryChunk, writeEntryRecord } from '../format/entry-record.ts';
import type { ChunkList, ChunkListWriter, ChunkRef, SnapshotEntry } from '../repository.ts';

export interface EntryWriter {
  add(entry: SnapshotEntry): Promise<void>;
  finish(): Promise<ChunkList>;
}

export function createEntryWriter(put: (raw: Buffer, records: number) => Promise<ChunkRef>, list: ChunkListWriter): EntryWriter {
  let records: Buffer[] = [];
  let bytes = 0;
  let storing: Promise<void> = Promise.resolve();

  const endChunk = (): Promise<void> => {
    const chunk = Buffer.concat(records);
    const count = records.length;
    [records, bytes] = [[], 0];
    storing = storing.then(async () => list.append(await put(chunk, count)));
    storing.catch(() => undefined);
    return storing;
  };

  return {
    async add(entry) {
      const record = writeEntryRecord(entry);
      records.push(record);
      bytes += record.length;
      if (endsEntryChunk(bytes, entry.name)) await endChunk();
    },
    async finish() {
      if (records.length > 0) await endChunk();
      await storing;
      return list.finish();
    },
  };
}
