// Takes a kept scan over into a new one: its chunks, its sums, its records. Nothing of it is read from the server.
import type { ChunkList, ChunkRef, RepositoryReader } from '../../../repository/repository.ts';
import { newHashState } from '../../bson/index.ts';
import type { CaptureContext } from '../capture-context.ts';
import { isDamagedPart } from '../previous-snapshot.ts';
import type { ChunkStream } from '../scan/chunk-stream.ts';
import type { RecordFile, RecordFront } from '../scan/record-file.ts';
import { decodeState, type KeptScan } from './rest-document.ts';

export interface Adoption {
  readonly kept: KeptScan;
  readonly reader: RepositoryReader;
  readonly stream: ChunkStream;
  readonly records: RecordFile | null;
  /** For progress. */
  readonly label: string;
}

/** Often enough to be seen to move, seldom enough to cost nothing. */
const TELL_EVERY = 1_000;

/** @returns false where something of it is gone, so that the collection has to be read again */
export async function adoptScan(context: CaptureContext, adoption: Adoption): Promise<boolean> {
  const { kept, stream, records } = adoption;
  try {
    if (!(await takeOver(context, adoption, kept.list, (ref) => stream.adopt(ref)))) return false;
    const tail = await readTail(context, adoption);
    if (tail === null) return false;
    stream.goOnFrom(decodeState(kept.state), tail);
    records?.begin(await frontOf(context, adoption, tail));
    return true;
  } catch (error) {
    if (!isDamagedPart(error)) throw error;
    return false;
  }
}

async function takeOver(context: CaptureContext, { reader, label }: Adoption, list: ChunkList, use: (ref: ChunkRef) => Promise<void>): Promise<boolean> {
  let taken = 0;
  for await (const { id, ...ref } of reader.refs(list)) {
    // A copy: the id is a view on its page.
    const own = { ...ref, id: Buffer.from(id) };
    if (!(await context.writer.takeOver(own))) return false;
    await use(own);
    taken += 1;
    if (taken % TELL_EVERY === 0) context.watch.at(`${label}, ${taken} of ${list.chunks} chunks taken over`);
    context.signal.throwIfAborted();
  }
  return true;
}

/** Read into memory: less than one chunk. It is stored again with what comes behind it. */
async function readTail(context: CaptureContext, { kept: { middle }, reader }: Adoption): Promise<Buffer | null> {
  if (middle === null || middle.tail === null) return Buffer.alloc(0);
  const id = Buffer.from(middle.tail, 'hex');
  return (await context.writer.takeOver({ id, rawBytes: middle.tailBytes, records: 0 })) ? Buffer.from(await reader.readChunk(id)) : null;
}

async function frontOf(context: CaptureContext, adoption: Adoption, tail: Buffer): Promise<RecordFront> {
  const { kept, reader } = adoption;
  const { records } = kept;
  const isThere = records !== null && (await takeOver(context, adoption, records, () => Promise.resolve()).catch((error: unknown) => {
    if (!isDamagedPart(error)) throw error;
    return false;
  }));
  return isThere ? { isRebuilt: false, blocks: () => storedRecords(reader, records) } : { isRebuilt: true, blocks: () => rebuiltRecords(context, adoption, tail) };
}

async function* storedRecords(reader: RepositoryReader, records: ChunkList): AsyncGenerator<Uint8Array> {
  for await (const { raw } of reader.chunks(records)) yield raw;
}

/** The same records again, of the documents as they were stored: slower, and always right. */
async function* rebuiltRecords(context: CaptureContext, { kept, reader, label }: Adoption, tail: Buffer): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const { raw } of reader.chunks(kept.list, { signal: context.signal })) {
    yield recordsOf(context, raw);
    read += 1;
    if (read % TELL_EVERY === 0) context.watch.at(`${label}, ${read} of ${kept.list.chunks} chunks read back`);
  }
  if (tail.length > 0) yield recordsOf(context, tail);
}

function recordsOf({ kernel }: CaptureContext, documents: Uint8Array): Uint8Array {
  const blocks: Uint8Array[] = [];
  kernel.frame(documents, { state: newHashState(), onSlice: ({ records }) => void blocks.push(records.slice()) });
  return Buffer.concat(blocks);
}
