// The references of a list, in order, with one page of each level in memory.
import { damaged } from '../format/damage.ts';
import { readPage } from '../format/list-page.ts';
import type { ChunkList, ChunkRef } from '../repository.ts';
import type { ChunkLoader } from './load-chunk.ts';

type Loader = Pick<ChunkLoader, 'load'>;

/** @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED, REPOSITORY_OBJECT_DAMAGED */
export async function* walkList(loader: Loader, list: ChunkList): AsyncGenerator<ChunkRef> {
  for await (const refs of walkLeaves(loader, list)) yield* refs;
}

/** The same, page by page: what is done for each chunk then costs no promise. */
export async function* walkLeaves(loader: Loader, list: ChunkList): AsyncGenerator<readonly ChunkRef[]> {
  if (list.root === null) return;
  let [chunks, records, rawBytes] = [0, 0, 0];
  for await (const refs of walkPage(loader, Buffer.from(list.root, 'hex'), list.height)) {
    chunks += refs.length;
    for (const ref of refs) {
      records += ref.records;
      rawBytes += ref.rawBytes;
    }
    yield refs;
  }
  if (chunks !== list.chunks || records !== list.records || rawBytes !== list.rawBytes) {
    throw damaged(`list ${list.root}`, 'its pages hold something else than its sums say');
  }
}

async function* walkPage(loader: Loader, id: Buffer, height: number): AsyncGenerator<readonly ChunkRef[]> {
  const page = readPage(id, await loader.load(id), height);
  if ('refs' in page) yield page.refs;
  else for (const child of page.pages) yield* walkPage(loader, child.id, height - 1);
}
