// The packs of one writer, from the first chunk to the index object: one is filled, a few are sent, those
// that arrived wait to be named by an index.
import { throwIfAborted } from '../../foundation/abort.ts';
import { newId } from '../../foundation/ids.ts';
import { sortEntries } from '../chunk-index/sort-entries.ts';
import type { RepositoryContext } from '../context.ts';
import { createBaseTable, type BaseTable } from '../format/base-table.ts';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import { sealIndex } from '../format/index-object.ts';
import { indexName, packName } from '../format/names.ts';
import { PACK_TARGET_BYTES } from '../format/pack.ts';
import { createPackDraft, type PackDraft, type PlacedChunk } from './pack-draft.ts';
import { createPendingChunks } from './pending-chunks.ts';
import { createSegments } from './segments.ts';

export interface PackLine {
  /** The pack that the next chunk goes to; it stays open until `settle` was called as often. Waits while too many are sent. */
  expect(rawBytes: number): Promise<PackDraft>;
  place(pack: PackDraft, sealed: Uint8Array, chunk: PlacedChunk): void;
  /** The chunk that was expected has been placed, or will not be. */
  settle(pack: PackDraft, rawBytes: number): void;
  /** True for chunks that were placed and that no index names yet. */
  holds(id: Buffer): boolean;
  /** Sends everything and names it in an index. */
  finish(): Promise<void>;
  /** Waits for what is being sent, successful or not. */
  idle(): Promise<void>;
  /** Names what arrived in an index. @param signal instead of the writer's own */
  flushIndex(signal?: AbortSignal): Promise<void>;
}

export interface PackLineOptions {
  readonly signal: AbortSignal;
  readonly onStored: (bytes: number) => void;
  /** An upload failed. */
  readonly onFailure: (error: unknown) => void;
  readonly onIndexStored: (name: string) => void;
  readonly targetBytes?: number;
}

interface StoredPack {
  readonly id: string;
  readonly entries: Buffer;
  readonly bases: Buffer;
  readonly sizeBytes: number;
}

/** Packs under way besides the one that is filled: with 16 MiB each this is most of a writer's memory. */
const MAX_SENDING = 2;
const MAX_CHUNKS = 16_384;
const INDEX_PACKS = 16;
const INDEX_ENTRIES = 65_536;

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'clock' | 'index'>;

export function createPackLine(context: Context, options: PackLineOptions): PackLine {
  const targetBytes = options.targetBytes ?? PACK_TARGET_BYTES;
  const segments = createSegments();
  const pending = createPendingChunks();
  const open = new Set<PackDraft>();
  const sending = new Map<PackDraft, Promise<void>>();
  let unnamed: StoredPack[] = [];
  let current: PackDraft | null = null;
  let flushing: Promise<void> = Promise.resolve();
  const waiting: (() => void)[] = [];
  // How much smaller chunks got so far: to foresee when the pack will be full.
  let [rawPlaced, storedPlaced] = [1, 0.5];

  const foreseen = (pack: PackDraft): number => pack.length + pack.expectedRawBytes * (storedPlaced / rawPlaced);
  const isFull = (pack: PackDraft): boolean => foreseen(pack) >= targetBytes || pack.chunks + pack.expectedChunks >= MAX_CHUNKS;

  /** Resolves at the next pack that left. */
  const room = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };

  const retire = (): void => {
    const pack = current;
    current = null;
    if (pack !== null && pack.expectedChunks === 0) dispatch(pack);
  };

  const dispatch = (pack: PackDraft): void => {
    open.delete(pack);
    if (pack.chunks === 0) {
      pack.release();
      wake();
      return;
    }
    const sent = send(pack).finally(() => {
      sending.delete(pack);
      pack.release();
      wake();
    });
    sending.set(pack, sent);
    sent.catch(options.onFailure);
  };

  const send = async (pack: PackDraft): Promise<void> => {
    const sealed = pack.seal();
    await context.storage.put(packName(pack.id), sealed.parts, { signal: options.signal });
    options.onStored(sealed.sizeBytes);
    unnamed.push({ id: pack.id, entries: Buffer.from(sealed.entries), bases: sealed.bases, sizeBytes: sealed.sizeBytes });
    const entries = unnamed.reduce((sum, { entries: block }) => sum + block.length / CHUNK_ENTRY_BYTES, 0);
    if (unnamed.length >= INDEX_PACKS || entries >= INDEX_ENTRIES) await flushIndex();
  };

  const flushIndex = (signal: AbortSignal = options.signal): Promise<void> => {
    const flushed = flushing.then(() => putIndex(signal));
    flushing = flushed.catch(() => undefined);
    return flushed;
  };

  const putIndex = async (signal: AbortSignal): Promise<void> => {
    // A copy: packs that arrive while the index is stored wait for the next one.
    const naming = [...unnamed];
    if (naming.length === 0) return;
    const table = createBaseTable();
    const payload = {
      packs: naming.map(({ id, entries, sizeBytes }) => ({ id, sizeBytes, chunks: entries.length / CHUNK_ENTRY_BYTES })),
      entries: sortEntries(Buffer.concat(naming.map((pack, number) => numbered(pack, number, table)))),
      bases: table.bytes(),
    };
    const name = indexName(newId(context.clock.now()));
    const bytes = sealIndex(context.keys, name, payload);
    await context.storage.put(name, bytes, { signal });
    options.onStored(bytes.length);
    options.onIndexStored(name);
    // First known to the index, then forgotten here: a chunk is never in neither.
    await context.index.add(payload);
    unnamed = unnamed.filter((pack) => !naming.includes(pack));
    pending.reset([...unnamed.map(({ entries }) => entries), ...[...open, ...sending.keys()].map((pack) => pack.entries())]);
  };

  return {
    async expect(rawBytes) {
      if (current !== null && isFull(current)) retire();
      while (current === null && sending.size + open.size >= MAX_SENDING) await room();
      throwIfAborted(options.signal);
      if (current === null) {
        current = createPackDraft(context.keys, segments, newId(context.clock.now()));
        open.add(current);
      }
      current.expectedRawBytes += rawBytes;
      current.expectedChunks += 1;
      return current;
    },
    place(pack, sealed, chunk) {
      pack.place(sealed, chunk);
      pending.add(chunk.id);
      context.index.filter.add(chunk.id);
      rawPlaced += chunk.rawLength;
      storedPlaced += sealed.length;
    },
    settle(pack, rawBytes) {
      pack.expectedRawBytes -= rawBytes;
      pack.expectedChunks -= 1;
      if (pack !== current && pack.expectedChunks === 0) dispatch(pack);
    },
    holds: (id) => pending.has(id),
    async finish() {
      retire();
      await Promise.all(sending.values());
      await flushIndex();
      if (unnamed.length + open.size + sending.size > 0) throw new Error('a pack is left over at the end of a writer');
      segments.close();
    },
    async idle() {
      await Promise.allSettled(sending.values());
      await flushing;
      for (const pack of open) pack.release();
      open.clear();
      current = null;
      segments.close();
    },
    flushIndex,
  };
}

function numbered({ entries, bases }: StoredPack, packNumber: number, table: BaseTable): Buffer {
  const copy = Buffer.from(entries);
  table.take(copy, bases);
  for (let at = 56; at < copy.length; at += CHUNK_ENTRY_BYTES) copy.writeUInt32LE(packNumber, at);
  return copy;
}
