// Reads a snapshot's documents the plain way: bson for the ids, no kernel, no exclusion set, all in memory.
// An oracle that shares nothing with the product's own reader; for small snapshots.
import { BSON } from 'bson';
import type { CollectionBody } from '../../src/engine/contracts.ts';
import type { ChunkList, RepositoryReader, SnapshotRoot } from '../../src/repository/repository.ts';

export interface SettledEntry {
  readonly name: string;
  readonly body: CollectionBody;
  /** Raw documents, in the snapshot's order. */
  readonly documents: readonly Buffer[];
  readonly touched: number;
  readonly scanned: number;
  /** Raw bytes of each list's chunks. */
  readonly chunks: { readonly scan: readonly Buffer[]; readonly patch: readonly Buffer[] };
}

export async function readSettledEntries(reader: RepositoryReader, root: SnapshotRoot): Promise<Map<string, SettledEntry>> {
  const entries = new Map<string, SettledEntry>();
  for await (const { name, body, lists } of reader.entries(root)) {
    const [scan, touched, patch] = await Promise.all(['scan', 'touched', 'patch'].map((list) => readChunks(reader, lists[list])));
    const out = new Set(documentsOf(touched!).map(idText));
    const scanned = documentsOf(scan!);
    const documents = [...scanned.filter((document) => !out.has(idText(document))), ...documentsOf(patch!)];
    entries.set(name, { name, body: body as unknown as CollectionBody, documents, touched: out.size, scanned: scanned.length, chunks: { scan: scan!, patch: patch! } });
  }
  return entries;
}

async function readChunks(reader: RepositoryReader, list: ChunkList | undefined): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  if (list !== undefined) for await (const { raw } of reader.chunks(list)) chunks.push(Buffer.from(raw));
  return chunks;
}

/** Splits documents that lie side by side. */
export function documentsOf(chunks: readonly Buffer[]): Buffer[] {
  const documents: Buffer[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += chunk.readInt32LE(at)) documents.push(chunk.subarray(at, at + chunk.readInt32LE(at)));
  }
  return documents;
}

/** A text that is the same for the same `_id`, byte by byte. Works where `_id` is the first field, as servers store it. */
export function idText(document: Buffer): string {
  if (document.toString('latin1', 5, 9) !== '_id\0') throw new Error('a document whose first field is not _id');
  const type = document[4]!;
  return `${type}:${document.toString('hex', 9, valueEnd(document, type, 9))}`;
}

/** Where a BSON value ends, by the specification. */
function valueEnd(bytes: Buffer, type: number, at: number): number {
  const fixed: Record<number, number> = { 1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0 };
  if (fixed[type] !== undefined) return at + fixed[type];
  if ([2, 13, 14].includes(type)) return at + 4 + bytes.readInt32LE(at);
  if (type === 12) return at + 16 + bytes.readInt32LE(at);
  if ([3, 4, 15].includes(type)) return at + bytes.readInt32LE(at);
  if (type === 5) return at + 5 + bytes.readInt32LE(at);
  throw new Error(`no length for type ${type}`);
}

/** A document for people, in a failed comparison. */
export function show(document: Buffer | undefined): string {
  if (document === undefined) return 'nothing';
  try {
    return BSON.EJSON.stringify(BSON.deserialize(document, { promoteValues: false }), { relaxed: false }).slice(0, 400);
  } catch {
    return document.toString('hex').slice(0, 400);
  }
}
