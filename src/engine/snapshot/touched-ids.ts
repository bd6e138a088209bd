// The list `touched` of an entry: chunks of documents `{_id: …}` side by side, sorted by the raw id's bytes.
import type { ChunkList, RepositoryReader } from '../../repository/repository.ts';
import { asBuffer, documentLength, rawId } from '../bson/index.ts';

/** Every touched id as type byte and value. @throws LeafvaultError BSON_MALFORMED */
export async function* touchedIds(reader: RepositoryReader, list: ChunkList, signal?: AbortSignal): AsyncGenerator<Buffer> {
  for await (const { raw } of reader.chunks(list, signal === undefined ? {} : { signal })) {
    const bytes = asBuffer(raw);
    for (let at = 0; at < bytes.length; ) {
      const end = at + documentLength(bytes, at);
      const id = rawId(bytes.subarray(at, end));
      if (id !== null) yield id;
      at = end;
    }
  }
}
