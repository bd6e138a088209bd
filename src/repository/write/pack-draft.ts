// A pack in the making: sealed chunks are placed one after the other, then it is closed once and for all.
import { randomBytes } from 'node:crypto';
import { CHUNK_ENTRY_BYTES, NO_BASE, writeChunkEntry } from '../format/chunk-entry.ts';
import type { RepositoryKeys } from '../format/keys.ts';
import { sealDirectory, tellOfDeltas, writePackHeader } from '../format/pack.ts';
import { SEGMENT_BYTES, type Segments } from './segments.ts';

export interface PackDraft {
  readonly id: string;
  readonly idBytes: Buffer;
  readonly key: Buffer;
  readonly chunks: number;
  /** Bytes placed so far, header included. */
  readonly length: number;
  /** Raw bytes of chunks that will be placed here but are not yet. */
  expectedRawBytes: number;
  /** Chunks that will be placed here but are not yet. */
  expectedChunks: number;
  /** Draws the number of a chunk's nonce; never the same twice. */
  nextCounter(): number;
  place(sealed: Uint8Array, chunk: PlacedChunk): void;
  /** Entries of the chunks placed so far; valid until the next one is placed. */
  entries(): Buffer;
  /** Directory and trailer added; the parts are the object, and stay the same for every try to send them. */
  seal(): { readonly parts: readonly Buffer[]; readonly entries: Buffer; readonly bases: Buffer; readonly sizeBytes: number };
  /** Gives the memory back, after the last try to send. */
  release(): void;
}

export interface PlacedChunk {
  readonly id: Buffer;
  readonly type: number;
  readonly flags: number;
  readonly counter: number;
  readonly rawLength: number;
  /** Of a delta: id of its base. */
  readonly baseId?: Buffer;
}

export function createPackDraft(keys: RepositoryKeys, segments: Segments, id: string): PackDraft {
  const idBytes = Buffer.from(id, 'hex');
  const salt = randomBytes(32);
  const key = keys.packKey(salt);
  const filled: Buffer[] = [];
  let length = 0;
  let entries = Buffer.alloc(CHUNK_ENTRY_BYTES * 256);
  let chunks = 0;
  let counter = 0;
  // Ids of bases in hex, in the order in which they came.
  const bases = new Map<string, number>();

  const append = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length;) {
      const room = length % SEGMENT_BYTES;
      if (room === 0) filled.push(segments.take());
      const piece = bytes.subarray(done, done + SEGMENT_BYTES - room);
      filled[filled.length - 1]?.set(piece, room);
      done += piece.length;
      length += piece.length;
    }
  };

  const numberOf = (baseId: Buffer | undefined): number => {
    if (baseId === undefined) return NO_BASE;
    const id = baseId.toString('hex');
    if (!bases.has(id)) bases.set(id, bases.size);
    return bases.get(id) ?? NO_BASE;
  };

  append(writePackHeader({ id: idBytes, salt }));
  return {
    id,
    idBytes,
    key,
    get chunks() {
      return chunks;
    },
    get length() {
      return length;
    },
    expectedRawBytes: 0,
    expectedChunks: 0,
    nextCounter() {
      counter += 1;
      return counter;
    },
    place(sealed, chunk) {
      if (chunk.baseId !== undefined && filled[0] !== undefined) tellOfDeltas(filled[0]);
      if ((chunks + 1) * CHUNK_ENTRY_BYTES > entries.length) entries = Buffer.concat([entries, Buffer.alloc(entries.length)]);
      writeChunkEntry(entries, chunks * CHUNK_ENTRY_BYTES, { ...chunk, offset: length, storedLength: sealed.length, base: numberOf(chunk.baseId), packNumber: 0 });
      chunks += 1;
      append(sealed);
    },
    entries: () => entries.subarray(0, chunks * CHUNK_ENTRY_BYTES),
    seal() {
      const directory = entries.subarray(0, chunks * CHUNK_ENTRY_BYTES);
      const table = Buffer.from([...bases.keys()].join(''), 'hex');
      append(sealDirectory(key, idBytes, Buffer.concat([directory, table]), chunks));
      const parts = filled.map((segment, i) => (i < filled.length - 1 || length % SEGMENT_BYTES === 0 ? segment : segment.subarray(0, length % SEGMENT_BYTES)));
      return { parts, entries: directory, bases: table, sizeBytes: length };
    },
    release: () => segments.give(filled.splice(0)),
  };
}
