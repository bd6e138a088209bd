// The views at the border: documents of `system.views`, folded by us alone.
import { BSON_TYPE, rawId } from '../../bson/index.ts';
import { viewOf, type ViewDefinition } from '../../backup/settle/read-instant.ts';
import { joinNamespace } from '../../mongo/index.ts';
import { foldDocument, type OperationsTable, type ReplayOperation, type ReplayWindow } from '../../replay/index.ts';
import type { CollectionEntry } from '../../snapshot/index.ts';
import { viewDocument, VIEWS } from './base-catalog.ts';

export function viewsAtBorder(entries: readonly CollectionEntry[], window: ReplayWindow, table: OperationsTable): ViewDefinition[] {
  const documents = window.collections.filter(({ name }) => name === VIEWS).flatMap((collection) => {
    const ofBase = entries.filter(({ body }) => collection.bornAt === null && body.db === collection.db);
    const views = new Map(ofBase.filter(({ body }) => body.kind === 'view').map(viewDocument).map((document) => [idKey(document), document]));
    const series = new Set(ofBase.filter(({ body }) => body.kind === 'timeseries').map(({ namespace }) => namespace));
    const number = window.numberOf(collection.uuid);
    for (const id of number === null ? [] : table.touchedIds(number)) {
      const key = id.toString('latin1');
      const operations = table.operationsOf(number ?? 0, id);
      // What stood for a time series is not in the base: whatever came of it before the name was taken anew is no view.
      const known = views.has(key) || !series.has(textOf(id)) ? operations : fromFirstInsert(operations);
      const folded = foldDocument(views.get(key) ?? null, known, { namespace: joinNamespace(collection.db, VIEWS), id });
      views.delete(key);
      if (folded !== null) views.set(key, folded);
    }
    return [...views.values()];
  });
  return documents.map(viewOf).filter((view) => view !== null);
}

function* fromFirstInsert(operations: Iterable<ReplayOperation>): Generator<ReplayOperation, void, undefined> {
  let begun = false;
  for (const operation of operations) {
    begun ||= operation.kind === 'insert';
    if (begun) yield operation;
  }
}

function idKey(document: Buffer): string {
  return rawId(document)?.toString('latin1') ?? '';
}

/** The text of a raw id; empty for another type. */
function textOf(id: Buffer): string {
  return id[0] === BSON_TYPE.string ? id.toString('utf8', 5, id.length - 1) : '';
}
