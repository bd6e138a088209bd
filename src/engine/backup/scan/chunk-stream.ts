// Turns a stream of framed documents into chunks and hands them to the repository, a few at a time, in order.
import { releaseMemory } from '../../../foundation/release-memory.ts';
import { asBuffer, chunkDocumentsOf, cutRule, documentsOf, newHashState, type CutRule, type HashState, type Kernel, type Slice } from '../../bson/index.ts';
import type { NearWalk } from './near-walk.ts';
import type { ChunkList, ChunkListWriter, ChunkRef, RepositoryWriter } from '../../../repository/repository.ts';

export interface ChunkStream {
  readonly state: HashState;
  /** Frames documents (or the array of a reply) and gathers chunks; nothing is sent before `drain`. */
  take(kernel: Kernel, input: Uint8Array, options?: { readonly array?: boolean; readonly onSlice?: (slice: Slice) => void }): void;
  /** Hands finished chunks to the repository; waits while too many bytes are under way. */
  drain(): Promise<void>;
  /** Sends the rest; the list is complete. */
  finish(): Promise<ChunkList>;
  /** Puts a chunk that is stored already behind those before it; nothing was taken yet. */
  adopt(ref: ChunkRef): Promise<void>;
  /** Goes on behind what was adopted, as the stream stood that was suspended there. */
  goOnFrom(state: HashState, tail: Buffer): void;
  /** Sends what was cut, and gives what was not; the stream is over. */
  suspend(): Promise<{ readonly list: ChunkList; readonly tail: Buffer }>;
}

interface Chunk {
  readonly bytes: Buffer;
  readonly documents: number;
}

/** Bytes of chunks that one stream may have under way. */
const UNDER_WAY_BYTES = 4 * 1024 * 1024;

/** @param walk beside the list of the snapshot before; null: there is none */
export function createChunkStream(writer: RepositoryWriter, mask: number, walk: NearWalk | null = null): ChunkStream {
  const rule: CutRule = cutRule(mask);
  const state = newHashState();
  const list: ChunkListWriter = writer.openList();
  const finished: Chunk[] = [];
  let rest: Buffer[] = [];
  let documentsInChunks = 0;
  const underWay: { readonly ref: Promise<ChunkRef>; readonly bytes: Buffer }[] = [];
  let underWayBytes = 0;

  const gather = (slice: Slice): void => {
    const bytes = asBuffer(slice.bytes);
    let from = 0;
    for (let i = 0; i < slice.cuts.length; i += 2) {
      const end = slice.cuts[i] ?? 0;
      const documents = slice.cuts[i + 1] ?? 0;
      finished.push({ bytes: Buffer.concat([...rest, bytes.subarray(from, end)]), documents });
      documentsInChunks += documents;
      rest = [];
      from = end;
    }
    if (from < bytes.length) rest.push(Buffer.from(bytes.subarray(from)));
  };
  const appendOldest = async (): Promise<void> => {
    const oldest = underWay.shift();
    if (oldest === undefined) return;
    underWayBytes -= oldest.bytes.length;
    const ref = await oldest.ref;
    // The repository has taken the bytes over; left to the garbage collector, they bring it on sooner.
    releaseMemory(oldest.bytes);
    await list.append(ref);
  };
  const send = async ({ bytes, documents }: Chunk): Promise<void> => {
    while (underWay.length > 0 && underWayBytes + bytes.length > UNDER_WAY_BYTES) await appendOldest();
    await walk?.fill();
    const ref = writer.putChunk(bytes, documents, walk === null ? {} : { base: walk.near });
    // Awaited in order by appendOldest; until then a failure must not count as unhandled.
    ref.catch(() => undefined);
    underWay.push({ ref, bytes });
    underWayBytes += bytes.length;
  };
  const drain = async (): Promise<void> => {
    for (let chunk = finished.shift(); chunk !== undefined; chunk = finished.shift()) await send(chunk);
  };

  return {
    state,
    take(kernel, input, options = {}) {
      kernel.frame(input, {
        array: options.array === true,
        state,
        cut: rule,
        onSlice: (slice) => {
          gather(slice);
          options.onSlice?.(slice);
        },
      });
    },
    drain,
    async finish() {
      await drain();
      if (rest.length > 0) await send({ bytes: Buffer.concat(rest), documents: documentsOf(state) - documentsInChunks });
      rest = [];
      while (underWay.length > 0) await appendOldest();
      await walk?.end();
      return list.finish();
    },
    async adopt(ref) {
      await walk?.fill();
      walk?.near(ref.id);
      await list.append(ref);
    },
    goOnFrom(from, tail) {
      state.block.set(from.block);
      documentsInChunks = documentsOf(state) - chunkDocumentsOf(state);
      rest = tail.length > 0 ? [tail] : [];
    },
    async suspend() {
      await drain();
      while (underWay.length > 0) await appendOldest();
      await walk?.end();
      return { list: await list.finish(), tail: Buffer.concat(rest) };
    },
  };
}
