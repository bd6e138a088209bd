// The only place that knows the driver's inside: a document sequence section made of bytes that are there.
// Everything else sees `SequenceMaker`; null means that this driver version no longer offers it.
import { createRequire } from 'node:module';
import type { Document } from 'mongodb';

/** A value for a command's field (`documents`, `updates`) that goes out as one raw section. */
export type SequenceMaker = (field: string, pieces: readonly Uint8Array[]) => unknown;

interface DocumentSequence {
  push(document: Document, serialized: Uint8Array): number;
}

/** Builds sequences with `mongodb` 7.9.0's internal class, or null where that class is gone or has changed. */
export function loadSequenceMaker(): SequenceMaker | null {
  const Sequence = findClass();
  if (Sequence === null) return null;
  return (field, pieces) => {
    const sequence = new Sequence(field);
    // The class only counts and joins the bytes; a piece may hold any number of whole documents.
    for (const piece of pieces) sequence.push({}, piece);
    return sequence;
  };
}

function findClass(): (new (field: string) => DocumentSequence) | null {
  try {
    const commands: unknown = createRequire(import.meta.url)('mongodb/lib/cmap/commands.js');
    const found = (commands as { readonly DocumentSequence?: unknown }).DocumentSequence;
    if (typeof found !== 'function') return null;
    const Sequence = found as new (field: string) => DocumentSequence;
    return typeof new Sequence('documents').push === 'function' ? Sequence : null;
  } catch {
    // Valid fallback: raw-insert.ts decodes and encodes through the public API, and refuses what that would change.
    return null;
  }
}
