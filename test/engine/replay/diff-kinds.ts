// Which forms of updates a stretch of oplog holds, counted by reading the entries anew with the driver's BSON.
import { BSON, type Document } from 'mongodb';

export const DIFF_KINDS = [
  'replacement', 'delete', 'update', 'insert', 'sub-diff of a document', 'sub-diff of an array', 'array: length', 'array: update',
  'array: sub-diff of a document', 'array: sub-diff of an array', 'delete in a sub-diff', 'update in a sub-diff', 'insert in a sub-diff',
] as const;

export type DiffKind = (typeof DIFF_KINDS)[number];

export function countDiffKinds(entries: Iterable<Buffer>): Map<DiffKind, number> {
  const counts = new Map<DiffKind, number>(DIFF_KINDS.map((kind) => [kind, 0]));
  const add = (kind: DiffKind): void => void counts.set(kind, counts.get(kind)! + 1);
  const visit = (diff: Document, inside: boolean): void => {
    if (diff.a === true) {
      for (const [name, value] of Object.entries(diff)) {
        if (name === 'l') add('array: length');
        else if (name.startsWith('u')) add('array: update');
        else if (name.startsWith('s')) visitSub(value as Document, true);
      }
      return;
    }
    for (const [name, value] of Object.entries(diff)) {
      if (name === 'd') add(inside ? 'delete in a sub-diff' : 'delete');
      else if (name === 'u') add(inside ? 'update in a sub-diff' : 'update');
      else if (name === 'i') add(inside ? 'insert in a sub-diff' : 'insert');
      else visitSub(value as Document, false);
    }
  };
  const visitSub = (diff: Document, ofArray: boolean): void => {
    const target = diff.a === true ? 'an array' : 'a document';
    add(ofArray ? `array: sub-diff of ${target}` : `sub-diff of ${target}`);
    visit(diff, true);
  };
  const operation = (op: Document): void => {
    if (op.op === 'c' && Array.isArray(op.o.applyOps)) for (const each of op.o.applyOps as Document[]) operation(each);
    if (op.op !== 'u' || String(op.ns).startsWith('config.')) return;
    if (op.o.$v === 2 && op.o._id === undefined) visit(op.o.diff as Document, false);
    else add('replacement');
  };
  for (const raw of entries) operation(BSON.deserialize(raw, { validation: { utf8: false } }));
  return counts;
}
