// One attempt on a server without an oplog: the scan is all there is, and the snapshot says that it is not one instant.
import { takes } from '../../domain/namespace-selection.ts';
import { chooseCollections } from './collections/choose-collections.ts';
import { listCatalog } from './collections/list-catalog.ts';
import type { CaptureContext } from './capture-context.ts';
import type { AttemptInput, AttemptResult } from './capture-replica-set.ts';
import { scanPending, type Scans } from './scan/scan-pending.ts';
import { readShadows, readViews } from './settle/read-instant.ts';
import { storeEntries } from './store-entries.ts';

export async function captureStandalone(context: CaptureContext, input: AttemptInput): Promise<AttemptResult> {
  const { watch } = context;
  watch.enter('list');
  const readConcern = { level: 'local' };
  const catalog = await listCatalog(context, null);
  await context.onPhase('listed');
  watch.enter('scan');
  const shadows = await readShadows(context, catalog, readConcern);
  const chosen = chooseCollections(catalog, { selection: input.selection, shadows });
  const scans: Scans = new Map();
  const refused = new Set<string>();
  await scanPending(context, chosen, { scans, refused, keepRecords: false, before: input.previous.collection, begin: () => null, gone: () => undefined });
  await context.onPhase('scanned');
  watch.enter('store');
  const views = await readViews(context, catalog, readConcern);
  const totals = await storeEntries(context, {
    // What was dropped while it was read is gone, and left out.
    chosen: chosen.filter(({ collection }) => scans.has(collection.uuid)),
    views: views.filter(({ db, name }) => takes(input.selection, db, name) && !shadows.has(`${db}.${name}`)),
    scans,
    touchedOf: () => null,
    settle: input.settle,
    selection: input.selection,
  });
  await context.onPhase('stored');
  return { ...totals, beganAt: null, pointInTime: null };
}
