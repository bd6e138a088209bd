// The fold of a capped collection: all of its documents in order, in a table on disk.
import { breatheEvery } from '../../../foundation/abort.ts';
import { asBuffer, bytesOf, documentLength, documentsOf, hashOf, newHashState, orderedHashOf, rawId } from '../../bson/index.ts';
import type { CappedLimits } from '../../backup/collections/catalog.ts';
import { foldDocument, type ReplayOperation } from '../../replay/index.ts';
import { openScratchDatabase } from '../../scratch-database.ts';
import type { ContentFold, FoldOptions } from './content-fold.ts';

const AT_ONCE = 500;
/** Several may be loaded at once. */
const CACHE_KIB = 4 * 1024;
const FRAME_BYTES = 256 * 1024;

/** @param options `path`: a file that does not exist yet; `limits`: those by which the shadow cuts by itself, null where the source's own deletes alone do */
export function openCappedFold(options: FoldOptions & { readonly path: string; readonly limits: CappedLimits | null }): ContentFold {
  const { table, number, namespace, kernel, signal } = options;
  const documents = openDocuments(options.path);
  const apply = (operation: ReplayOperation): void => {
    const place = documents.find(operation.id);
    const folded = foldDocument(place?.document ?? null, [operation], { namespace, id: operation.id });
    if (folded === null) documents.remove(place?.sequence ?? 0);
    else if (place === null) documents.push(folded);
    else documents.change(place.sequence, folded);
  };
  return {
    take({ pieces }) {
      documents.together(() => {
        for (const piece of pieces) {
          const bytes = asBuffer(piece);
          for (let at = 0; at < bytes.length; at += documentLength(bytes, at)) documents.push(bytes.subarray(at, at + documentLength(bytes, at)));
        }
      });
    },
    async finish() {
      const breathe = breatheEvery(AT_ONCE, signal);
      for (const operation of table.orderedOperations(number)) {
        apply(operation);
        await breathe();
      }
      if (options.limits !== null) documents.trim(options.limits);
      const state = newHashState();
      for (const run of inRuns(documents.all())) kernel.frame(run, { state, onSlice: () => undefined });
      return { documents: documentsOf(state), bytes: bytesOf(state), hash: hashOf(state), capped: true, orderedHash: orderedHashOf(state) };
    },
    close: async () => documents.close(),
  };
}

function openDocuments(path: string) {
  const { db, together } = openScratchDatabase(path, 'CREATE TABLE documents (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB, document BLOB); CREATE INDEX of_id ON documents (id);', CACHE_KIB);
  const sql = {
    push: db.prepare('INSERT INTO documents (id, document) VALUES (?, ?)'),
    find: db.prepare('SELECT sequence, document FROM documents WHERE id = ? LIMIT 1'),
    change: db.prepare('UPDATE documents SET id = ?, document = ? WHERE sequence = ?'),
    remove: db.prepare('DELETE FROM documents WHERE sequence = ?'),
    next: db.prepare('SELECT sequence, document FROM documents WHERE sequence > ? ORDER BY sequence LIMIT 1'),
    sums: db.prepare('SELECT count(*) AS n, sum(length(document)) AS bytes FROM documents'),
  };
  let open = true;
  const idOf = (document: Buffer): Buffer => rawId(document) ?? Buffer.alloc(0);
  return {
    together,
    push: (document: Buffer) => void sql.push.run(idOf(document), document),
    find(id: Uint8Array): { readonly sequence: number; readonly document: Buffer } | null {
      const row = sql.find.get(id);
      return row === undefined ? null : { sequence: row.sequence as number, document: Buffer.from(row.document as Uint8Array) };
    },
    change: (sequence: number, document: Buffer) => void sql.change.run(idOf(document), document, sequence),
    remove: (sequence: number) => void sql.remove.run(sequence),
    /** The border may lie between an insert that overflows and the delete of the oldest, which the source logs behind it. */
    trim({ size, max }: CappedLimits) {
      const row = sql.sums.get();
      let [count, bytes] = [Number(row?.n), Number(row?.bytes ?? 0)];
      while ((max !== null && count > max) || (size !== null && bytes > size)) {
        const oldest = sql.next.get(0);
        if (oldest === undefined) return;
        sql.remove.run(oldest.sequence as number);
        count -= 1;
        bytes -= (oldest.document as Uint8Array).length;
      }
    },
    *all(): Generator<Buffer, void, undefined> {
      for (let row = sql.next.get(0); row !== undefined; row = sql.next.get(row.sequence as number)) yield Buffer.from(row.document as Uint8Array);
    },
    close() {
      if (open) db.close();
      open = false;
    },
  };
}

function* inRuns(documents: Iterable<Buffer>): Generator<Buffer, void, undefined> {
  let run: Buffer[] = [];
  let bytes = 0;
  for (const document of documents) {
    run.push(document);
    bytes += document.length;
    if (bytes < FRAME_BYTES) continue;
    yield Buffer.concat(run);
    run = [];
    bytes = 0;
  }
  if (run.length > 0) yield Buffer.concat(run);
}
