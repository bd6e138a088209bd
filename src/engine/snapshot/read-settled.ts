// The documents of one entry as they were at the snapshot's instant, in order, as raw batches: the scan without the
// touched ids, then the patch. Counts and hashes what it gives, so that a reader can compare it with the capture.
import { throwIfAborted } from '../../foundation/abort.ts';
import type { ChunkList, RepositoryReader } from '../../repository/repository.ts';
import { addToHashState, asBuffer, createKernel, newHashState, rawIdAt, RECORD_BYTES, type HashState, type Kernel, type Slice } from '../bson/index.ts';
import type { CollectionEntry } from './collection-entry.ts';
import { buildExclusionSet, type ExclusionSet } from './exclusion-set.ts';
import { touchedIds } from './touched-ids.ts';

/** Whole documents; a piece holds one or more of them. */
export interface SettledBatch {
  readonly pieces: readonly Buffer[];
  readonly documents: number;
  readonly bytes: number;
}

export interface ReadSettledOptions {
  readonly reader: RepositoryReader;
  readonly hashSeed: Uint8Array;
  /** For the exclusion set when it outgrows memory. */
  readonly tempDir: string;
  readonly signal?: AbortSignal;
  /** A batch is given once it has this many bytes; 1 MiB by default. A single document may be longer. */
  readonly batchBytes?: number;
  readonly batchDocuments?: number;
  /** Ids of the exclusion set that are kept in memory at most. */
  readonly memoryIds?: number;
}

export interface SettledDocuments {
  /** Whole after the last batch. */
  readonly state: HashState;
  readonly batches: AsyncIterable<SettledBatch>;
}

interface Piece {
  readonly bytes: Buffer;
  readonly documents: number;
}

const BATCH_BYTES = 1024 * 1024;
const BATCH_DOCUMENTS = 50_000;

/** Reads an entry's documents. The iterable may be walked once. @throws REPOSITORY_CHUNK_DAMAGED, BSON_MALFORMED */
export function readSettled(entry: CollectionEntry, options: ReadSettledOptions): SettledDocuments {
  const state = newHashState();
  return { state, batches: inBatches(pieces(entry, state, options), options) };
}

async function* pieces(entry: CollectionEntry, state: HashState, options: ReadSettledOptions): AsyncGenerator<Piece> {
  const kernel = createKernel(options.hashSeed);
  if (entry.touched.records === 0) {
    yield* whole(entry.scan, kernel, state, options);
  } else {
    const excluded = await buildExclusionSet({
      ids: touchedIds(options.reader, entry.touched, options.signal),
      idHash: (id) => kernel.idHash(id),
      tempDir: options.tempDir,
      ...(options.memoryIds === undefined ? {} : { memoryIds: options.memoryIds }),
    });
    try {
      yield* filtered(entry, excluded, kernel, state, options);
    } finally {
      await excluded.close();
    }
  }
  yield* whole(entry.patch, kernel, state, options);
}

async function* whole(list: ChunkList, kernel: Kernel, state: HashState, options: ReadSettledOptions): AsyncGenerator<Piece> {
  for await (const { raw } of options.reader.chunks(list, signalOf(options))) {
    throwIfAborted(options.signal);
    yield { bytes: raw, documents: count(kernel, raw, state) };
  }
}

async function* filtered(entry: CollectionEntry, excluded: ExclusionSet, kernel: Kernel, state: HashState, options: ReadSettledOptions): AsyncGenerator<Piece> {
  for await (const { raw } of options.reader.chunks(entry.scan, signalOf(options))) {
    throwIfAborted(options.signal);
    const part = newHashState();
    const kept: Buffer[] = [];
    let documents = 0;
    let at = 0;
    kernel.frame(raw, {
      state: part,
      onSlice: (slice) => {
        documents += slice.documents;
        for (const [from, to] of keptRuns(slice, excluded)) kept.push(raw.subarray(at + from, at + to));
        at += slice.bytes.length;
      },
    });
    // A sum of parts knows no order, so a capped collection is always counted in one stream.
    if (!entry.body.capped && kept.length === 1 && kept[0]?.length === raw.length) {
      addToHashState(state, part);
      yield { bytes: raw, documents };
    } else if (kept.length > 0) {
      const rest = Buffer.concat(kept);
      yield { bytes: rest, documents: count(kernel, rest, state) };
    }
  }
}

/** Stretches of the slice's bytes that hold no excluded document. */
function keptRuns(slice: Slice, excluded: ExclusionSet): [number, number][] {
  const records = new DataView(slice.records.buffer, slice.records.byteOffset, slice.documents * RECORD_BYTES);
  const bytes = asBuffer(slice.bytes);
  const runs: [number, number][] = [];
  let start = 0;
  for (let index = 0; index < slice.documents; index++) {
    const record = index * RECORD_BYTES;
    const from = slice.offsets[index] ?? 0;
    const to = from + records.getUint32(record + 24, true);
    const idAt = records.getUint32(record + 28, true);
    const out = idAt !== 0 && excluded.has(records.getUint32(record, true), records.getUint32(record + 4, true), () => rawIdAt(bytes.subarray(from, to), idAt) as Buffer);
    if (!out) continue;
    if (from > start) runs.push([start, from]);
    start = to;
  }
  if (bytes.length > start) runs.push([start, bytes.length]);
  return runs;
}

function count(kernel: Kernel, raw: Buffer, state: HashState): number {
  let documents = 0;
  kernel.frame(raw, { state, onSlice: (slice) => { documents += slice.documents; } });
  return documents;
}

async function* inBatches(source: AsyncIterable<Piece>, options: ReadSettledOptions): AsyncGenerator<SettledBatch> {
  const maxBytes = options.batchBytes ?? BATCH_BYTES;
  const maxDocuments = options.batchDocuments ?? BATCH_DOCUMENTS;
  let batch = { pieces: [] as Buffer[], documents: 0, bytes: 0 };
  for await (const piece of source) {
    const full = batch.bytes + piece.bytes.length > 2 * maxBytes || batch.documents + piece.documents > maxDocuments;
    if (batch.documents > 0 && full) {
      yield batch;
      batch = { pieces: [], documents: 0, bytes: 0 };
    }
    batch.pieces.push(piece.bytes);
    batch.documents += piece.documents;
    batch.bytes += piece.bytes.length;
    if (batch.bytes >= maxBytes) {
      yield batch;
      batch = { pieces: [], documents: 0, bytes: 0 };
    }
  }
  if (batch.documents > 0) yield batch;
}

function signalOf(options: ReadSettledOptions): { readonly signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}
