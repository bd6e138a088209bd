// The references of a list, in order, with one page of each level in memory.
import { damaged } from '../format/damage.ts';
import { readPage } from '../format/list-page.ts';
import type { ChunkList, ChunkRef } from '../repository.ts';
import type { ChunkLoader } from './load-chunk.ts';

/** @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED, REPOSITORY_OBJECT_DAMAGED */
export async function* walkList(loader: Pick<ChunkLoader, 'load'>, list: ChunkList): AsyncGenerator<ChunkRef> {
  if (list.root === null) return;
  let [chunks, records, rawBytes] = [0, 0, 0];
  for await (const ref of walkPage(loader, Buffer.from(list.root, 'hex'), list.height)) {
    chunks += 1;
    records += ref.records;
    rawBytes += ref.rawBytes;
    yield ref;
  }
  if (chunks !== list.chunks || records !== list.records || rawBytes !== list.rawBytes) {
    throw damaged(`list ${list.root}`, 'its pages hold something else than its sums say');
  }
}

async function* walkPage(loader: Pick<ChunkLoader, 'load'>, id: Buffer, height: number): AsyncGenerator<ChunkRef> {
  const page = readPage(id, await loader.load(id), height);
  if ('refs' in page) {
    yield* page.refs;
    return;
  }
  for (const child of page.pages) yield* walkPage(loader, child.id, height - 1);
}
