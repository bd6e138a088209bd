// The stand-in for mongorestore: raw documents as one document sequence, and nothing else. Uses what the driver keeps
// inside, as the product's own writer does behind its one file.
import { createRequire } from 'node:module';
import type { Db } from 'mongodb';

interface Sequence { push(document: object, bytes: Uint8Array): number }

const { DocumentSequence } = createRequire(import.meta.url)('mongodb/lib/cmap/commands.js') as { readonly DocumentSequence: new (field: string) => Sequence };

/** @throws Error unless every document was taken */
export async function insertRawSequence(db: Db, collection: string, documents: readonly Uint8Array[]): Promise<void> {
  const sequence = new DocumentSequence('documents');
  for (const document of documents) sequence.push({}, document);
  const answer = await db.command({ insert: collection, documents: sequence, ordered: false });
  if (answer.n !== documents.length) throw new Error(`An insert took ${answer.n} of ${documents.length} documents`);
}
