// Compares what a cluster or an archive holds with what must be there: the shop as it was before the writers began,
// and of each writer exactly the first n transactions.
import type { Change, Journal } from './busy-shop.ts';
import type { ClusterPrint } from './fingerprint.ts';

export interface Proof {
  readonly documents: number;
  readonly collections: number;
  /** How many transactions of each writer are in, of how many. */
  readonly prefixes: readonly { readonly kept: number; readonly of: number }[];
}

/** Namespace -> id -> hash. */
export type Documents = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** @throws Error that names the first differences */
export function proveDocuments(before: ClusterPrint, journals: readonly Journal[], found: Documents): Proof {
  const prefixes = journals.map((journal, writer) => ({ kept: prefixOf(before, journal, found, writer), of: journal.length }));
  const expected = fold(before, journals.map((journal, writer) => journal.slice(0, prefixes[writer]?.kept)));
  let documents = 0;
  for (const [namespace, want] of expected) {
    const have = found.get(namespace) ?? new Map<string, string>();
    const wrong = [...want].filter(([id, hash]) => have.get(id) !== hash).map(([id]) => id);
    const extra = [...have.keys()].filter((id) => !want.has(id));
    if (wrong.length + extra.length > 0) throw new Error(`${namespace}: ${wrong.length} documents differ or are missing, ${extra.length} are too many (${[...wrong, ...extra].slice(0, 3).join(', ')})`);
    documents += want.size;
  }
  return { documents, collections: expected.size, prefixes };
}

/** Collections, their options, indexes and views are those of before. @throws Error that names what differs */
export function proveMaking(before: ClusterPrint, after: ClusterPrint): { readonly collections: number } {
  const missing = [...before.keys()].filter((namespace) => !after.has(namespace));
  const extra = [...after.keys()].filter((namespace) => !before.has(namespace));
  if (missing.length + extra.length > 0) throw new Error(`Collections are missing (${missing.join(', ') || 'none'}) or too many (${extra.join(', ') || 'none'})`);
  for (const [namespace, print] of before) {
    const now = after.get(namespace);
    if (now?.made !== print.made) throw new Error(`${namespace} is made differently:\n  before ${print.made}\n  after  ${now?.made}`);
    if (now.order !== print.order) throw new Error(`${namespace}: documents stand in another order`);
  }
  return { collections: before.size };
}

/**
 * The n for which every document that the writer ever touched stands as after its first n transactions. Each document
 * allows a range of n; a torn snapshot leaves no n that all of them allow.
 */
function prefixOf(before: ClusterPrint, journal: Journal, found: Documents, writer: number): number {
  const states = new Map<string, { namespace: string; id: string; at: { from: number; hash: string | null }[] }>();
  journal.forEach((changes, index) => {
    for (const { namespace, id, after } of changes) {
      const key = `${namespace} ${id}`;
      const state = states.get(key) ?? { namespace, id, at: [{ from: 0, hash: before.get(namespace)?.documents.get(id) ?? null }] };
      state.at.push({ from: index + 1, hash: after });
      states.set(key, state);
    }
  });
  let possible = new Set(Array.from({ length: journal.length + 1 }, (_, n) => n));
  for (const { namespace, id, at } of states.values()) {
    const hash = found.get(namespace)?.get(id) ?? null;
    const allowed = new Set<number>();
    at.forEach((state, index) => {
      if (state.hash !== hash) return;
      const until = at[index + 1]?.from ?? journal.length + 1;
      for (let n = state.from; n < until; n += 1) if (possible.has(n)) allowed.add(n);
    });
    possible = allowed;
    if (possible.size === 0) throw new Error(`Writer ${writer}: no number of its transactions explains what is there; ${namespace} ${id} contradicts the others`);
  }
  return Math.max(...possible);
}

function fold(before: ClusterPrint, journals: readonly Journal[]): Documents {
  const result = new Map([...before].filter(([, print]) => print.type !== 'view').map(([namespace, print]) => [namespace, new Map(print.documents)] as const));
  const apply = ({ namespace, id, after }: Change): void => {
    const documents = result.get(namespace) ?? new Map<string, string>();
    result.set(namespace, documents);
    if (after === null) documents.delete(id);
    else documents.set(id, after);
  };
  for (const journal of journals) for (const changes of journal) changes.forEach(apply);
  return result;
}

export function documentsOf(print: ClusterPrint): Documents {
  return new Map([...print].filter(([, each]) => each.type !== 'view').map(([namespace, { documents }]) => [namespace, documents]));
}
