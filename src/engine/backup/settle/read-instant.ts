// Small collections that are read whole at one instant: views and time series definitions, plans of restores.
import type { Document } from 'mongodb';
import { BSON_TYPE, filterFields, rawChild, rawFields, rawText, readString } from '../../bson/index.ts';
import { bucketsOf, documentsOfBatch, PLAN_COLLECTION, PLAN_DB, splitNamespace } from '../../mongo/index.ts';
import { uuidOf } from '../collections/list-catalog.ts';
import type { Catalog, CatalogCollection } from '../collections/catalog.ts';
import type { CaptureContext } from '../capture-context.ts';
import { uuidBinary } from '../scan/scan-collection.ts';

export interface ViewDefinition {
  readonly db: string;
  readonly name: string;
  /** Raw document as `listCollections` gives a view's options: viewOn, pipeline, collation. */
  readonly options: Buffer;
}

/** Views of all databases; the definitions that stand for time series are left out. */
export async function readViews(context: CaptureContext, catalog: Catalog, readConcern: Document): Promise<readonly ViewDefinition[]> {
  const views: ViewDefinition[] = [];
  for (const collection of catalog.values()) {
    if (collection.name !== 'system.views') continue;
    for (const document of await readAllOf(context, collection, readConcern)) {
      const view = viewOf(document);
      if (view !== null) views.push(view);
    }
  }
  return views;
}

/** What a document of `system.views` defines; null for the one that stands for a time series. */
export function viewOf(document: Buffer): ViewDefinition | null {
  const [id, viewOn] = [rawText(document, '_id'), rawText(document, 'viewOn')];
  if (id === null || viewOn === null) return null;
  const { db, name } = splitNamespace(id);
  if (viewOn === bucketsOf(name)) return null;
  return { db, name, options: filterFields(document, (field) => field.name !== '_id') };
}

/** What the plans of restores on this cluster say at one time. */
export interface RestorePlans {
  /** `db.collection` of everything that they name as theirs. */
  readonly shadows: ReadonlySet<string>;
  /** True while a plan's names are being exchanged, or a time series is being replaced. */
  readonly swapping: boolean;
}

export async function readShadows(context: CaptureContext, catalog: Catalog, readConcern: Document): Promise<ReadonlySet<string>> {
  return (await readRestorePlans(context, catalog, readConcern)).shadows;
}

export async function readRestorePlans(context: CaptureContext, catalog: Catalog, readConcern: Document): Promise<RestorePlans> {
  const shadows = new Set<string>();
  let swapping = false;
  const plans = [...catalog.values()].find(({ db, name }) => db === PLAN_DB && name === PLAN_COLLECTION);
  if (plans === undefined) return { shadows, swapping };
  for (const plan of await readAllOf(context, plans, readConcern)) {
    swapping ||= isSwapping(plan);
    const list = rawChild(plan, 'shadows');
    if (list === null) continue;
    for (const field of rawFields(list)) if (field.type === BSON_TYPE.string) shadows.add(readString(list, field));
  }
  return { shadows, swapping };
}

/** docs/design/restore-protocol.md, "States" and "Time series". */
function isSwapping(plan: Buffer): boolean {
  if (rawText(plan, 'state') === 'swapping') return true;
  const series = rawChild(plan, 'timeSeries');
  if (series === null || rawText(plan, 'state') !== 'committed') return false;
  const stages = [...rawFields(series)].map((field) => rawText(series.subarray(field.valueAt, field.end), 'stage'));
  return stages.some((stage) => stage === 'dropping' || stage === 'copying');
}

async function readAllOf({ source }: CaptureContext, collection: CatalogCollection, readConcern: Document): Promise<readonly Buffer[]> {
  const uuid = uuidOf(collection);
  const documents: Buffer[] = [];
  let reply = await source.open(collection.db, { find: uuid === null ? collection.name : uuidBinary(uuid), readConcern });
  const cursor = { id: reply.cursorId, collection: reply.namespace.slice(reply.namespace.indexOf('.') + 1) };
  for (;;) {
    for (const document of documentsOfBatch(reply.batch)) documents.push(Buffer.from(document));
    if (reply.cursorId === 0n) return documents;
    reply = await source.more(collection.db, cursor);
  }
}
