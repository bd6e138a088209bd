// Folds everything that a base holds to a border, all in memory, and says how that differs from what a server held there.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterTime } from '../../../src/domain/cluster-time.ts';
import { isCapped } from '../../../src/engine/backup/collections/catalog.ts';
import { splitNamespace, timeSeriesOf } from '../../../src/engine/mongo/index.ts';
import { createOperationsTable, foldDocument, readWindow, type OperationsTable, type ReplayWindow } from '../../../src/engine/replay/index.ts';
import { createRandom } from '../backup/random.ts';
import { show } from '../../support/settled.ts';
import { idKey, slicesOf, type Held, type RawEntry } from './oplog-source.ts';

export interface Folded {
  readonly window: ReplayWindow;
  /** By `db.collection`, documents as `Held` has them. */
  readonly collections: ReadonlyMap<string, { readonly capped: boolean; readonly indexes: readonly string[]; readonly documents: readonly Buffer[] }>;
  readonly touched: number;
}

export async function foldHeld(base: Held, entries: readonly RawEntry[], border: ClusterTime, seed = 1): Promise<Folded> {
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-replay-'));
  const table = createOperationsTable(join(folder, 'operations'));
  try {
    const window = await readWindow({
      slices: slicesOf(entries, createRandom(seed)), after: base.time, border, table, base: [...base.collections.values()].map(({ collection }) => collection),
    });
    const before = new Map([...base.collections.values()].map(({ collection, documents }) => [collection.uuid, documents]));
    const collections = new Map<string, { capped: boolean; indexes: string[]; documents: Buffer[] }>();
    let touched = 0;
    for (const collection of window.collections) {
      const namespace = `${collection.db}.${collection.name}`;
      const documents = new Map((before.get(collection.uuid) ?? []).map((document) => [idKey(document), document]));
      const number = window.numberOf(collection.uuid);
      const capped = isCapped(collection);
      if (number !== null) touched += capped ? foldOrdered(table, number, documents, namespace) : foldEach(table, number, documents, namespace);
      collections.set(namespace, { capped, indexes: [...collection.indexes.keys()].sort(), documents: [...documents.values()] });
    }
    return { window, collections, touched };
  } finally {
    table.close();
    await rm(folder, { recursive: true });
  }
}

function foldEach(table: OperationsTable, number: number, documents: Map<string, Buffer>, namespace: string): number {
  const buckets = timeSeriesOf(splitNamespace(namespace).name) !== null;
  let touched = 0;
  for (const id of table.touchedIds(number)) {
    touched += 1;
    const key = id.toString('hex');
    const folded = foldDocument(documents.get(key) ?? null, table.operationsOf(number, id), { namespace, buckets, id });
    documents.delete(key);
    if (folded !== null) documents.set(idKey(folded), folded);
  }
  return touched;
}

/** A map keeps the order of insertion, and the place of what is updated. */
function foldOrdered(table: OperationsTable, number: number, documents: Map<string, Buffer>, namespace: string): number {
  let touched = 0;
  for (const operation of table.orderedOperations(number)) {
    touched += 1;
    const key = operation.id.toString('hex');
    const folded = foldDocument(documents.get(key) ?? null, [operation], { namespace, id: operation.id });
    if (folded === null) documents.delete(key);
    else documents.set(key, folded);
  }
  return touched;
}

/** @param only collections to compare; all by default */
export function differencesOf(folded: Folded, wanted: Held, only: (namespace: string) => boolean = () => true): string[] {
  const problems: string[] = [];
  const names = new Set([...folded.collections.keys(), ...wanted.collections.keys()].filter(only));
  for (const name of names) {
    const [found, held] = [folded.collections.get(name), wanted.collections.get(name)];
    if (found === undefined || held === undefined) {
      problems.push(`${name}: ${found === undefined ? 'missing' : 'too much'}`);
      continue;
    }
    const indexes = [...held.collection.indexes.keys()].sort();
    if (indexes.join() !== found.indexes.join()) problems.push(`${name}: indexes ${found.indexes.join()}, should be ${indexes.join()}`);
    problems.push(...documentDifferences(found, held.documents).map((problem) => `${name}: ${problem}`));
  }
  return problems.slice(0, 8);
}

function documentDifferences({ capped, documents }: { readonly capped: boolean; readonly documents: readonly Buffer[] }, wanted: readonly Buffer[]): string[] {
  const order = (list: readonly Buffer[]): readonly Buffer[] => (capped ? list : [...list].sort((a, b) => (idKey(a) < idKey(b) ? -1 : 1)));
  const [found, held] = [order(documents), order(wanted)];
  if (found.length !== held.length) return [`${found.length} documents, should be ${held.length}`];
  return held.flatMap((document, at) => (found[at]?.equals(document) === true ? [] : [`${show(found[at])} should be ${show(document)}`])).slice(0, 3);
}
