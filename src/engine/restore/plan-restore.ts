// Turns a judged request into a plan: a shadow for each collection, and names for everything that is moved aside.
import type { RestoreOptions, SnapshotBody } from '../contracts.ts';
import { bucketsOf, showNamespace } from '../mongo/namespaces.ts';
import { encodeOrdered, optionsOf, type CollectionEntry } from '../snapshot/index.ts';
import { createOptions } from './collection-options.ts';
import type { Load } from './context.ts';
import type { Instant } from './instant/open-instant.ts';
import { planIndexes } from './index-plan.ts';
import { newPlan, type Displaced, type PlannedView, type RestorePlan, type TimeSeriesStep } from './plan.ts';
import type { TargetFacts } from './preflight/gather-facts.ts';
import { isUserNamespace } from './preflight/judge-facts.ts';
import type { Preflight } from './preflight/preflight.ts';
import { capturedSelection, covers, isSelected, isWholeCluster, renamed, type SelectedEntry } from './select-entries.ts';

export interface PlannedRestore {
  readonly plan: RestorePlan;
  readonly loads: readonly Load[];
  readonly authEntries: readonly CollectionEntry[];
}

/** @param instant null: the snapshot as it is */
export function planRestore(options: RestoreOptions, { selected, facts, warnings, leftOut }: Omit<Preflight, 'entries'>, instant: Instant | null): PlannedRestore {
  const plan = newPlan({
    restoreId: options.restoreId, snapshotId: options.root.id, oldCollections: options.oldCollections,
    createdAt: options.clock.now().toISOString(), warnings: [...warnings], border: instant?.border ?? null, leftOut,
  });
  const loads: Load[] = [];
  const authEntries: CollectionEntry[] = [];
  let n = 0;
  for (const chosen of selected) {
    n += 1;
    const { entry } = chosen;
    if (entry.body.kind === 'collection') loads.push(planCollection(plan, n, chosen, facts, options));
    else if (entry.body.kind === 'timeseries') loads.push(planTimeSeries(plan, n, chosen, facts, options));
    else if (entry.body.kind === 'view') planView(plan, n, chosen, facts, options);
    else if (options.usersAndRoles && (entry.body.documents > 0 || instant?.numberOf(entry) != null)) authEntries.push(planAuth(plan, n, entry));
  }
  plan.views = inBuildingOrder(plan.views);
  if (isWholeCluster(options.selection) && options.rehearse !== true) planAsides(plan, n, selected, facts, options);
  return { plan, loads, authEntries };
}

function displaced(plan: RestorePlan, n: number, place: { readonly db: string; readonly name: string }, facts: TargetFacts): Displaced {
  const live = facts.live.get(place.db)?.get(place.name);
  return { db: place.db, name: place.name, liveUuid: live?.type === 'collection' ? live.uuid : null, old: `${plan.prefix}.old${n}`, gap: `${plan.prefix}.gap${n}` };
}

function planCollection(plan: RestorePlan, n: number, chosen: SelectedEntry, facts: TargetFacts, options: RestoreOptions): Load {
  const { entry } = chosen;
  const step = {
    ...displaced(plan, n, chosen, facts), from: entry.namespace, shadow: `${plan.prefix}.${n}`, shadowUuid: null, proven: null, indexes: 0, failedIndexes: [],
    expiries: [...planIndexes(entry.body, options.indexStrategy).expiries],
  };
  plan.swaps.push(step);
  return { entry, step, collection: step.shadow, expected: entry.body, rested: null, loaded: null, replayedTo: null, skipped: 0 };
}

function planTimeSeries(plan: RestorePlan, n: number, { entry, db, name }: SelectedEntry, facts: TargetFacts, options: RestoreOptions): Load {
  const live = facts.live.get(db)?.get(name);
  const shadow = `${plan.prefix}.${n}`;
  const beside = live?.type === 'timeseries' && options.timeSeries === 'beside';
  const wished = `${name}_restored_${plan.prefix.slice('__lv_'.length)}`;
  const besideName = Buffer.byteLength(`${db}.${bucketsOf(wished)}`) <= 255 ? wished : shadow;
  const { indexes, expiries } = planIndexes(entry.body, options.indexStrategy);
  const step: TimeSeriesStep = {
    from: entry.namespace, db, name: beside ? besideName : name, shadow: beside ? besideName : shadow, shadowUuid: null,
    liveUuid: live?.type !== 'timeseries' || beside ? null : (facts.live.get(db)?.get(bucketsOf(name))?.uuid ?? null),
    options: encodeOrdered(createOptions(entry.body)).toString('base64'),
    indexes: encodeOrdered(new Map([['indexes', indexes]])).toString('base64'),
    proven: null, indexCount: 0, failedIndexes: [], expiries: [...expiries], stage: 'beside', newUuid: null, gaps: [],
  };
  if (beside) plan.warnings.push(`the time series ${db}.${name} stays as it is; the restored one is ${db}.${besideName}`);
  plan.timeSeries.push(step);
  return { entry, step, collection: bucketsOf(step.shadow), expected: entry.body, rested: null, loaded: null, replayedTo: null, skipped: 0 };
}

function planView(plan: RestorePlan, n: number, chosen: SelectedEntry, facts: TargetFacts, options: RestoreOptions): void {
  const { entry, db, name } = chosen;
  const view = new Map(optionsOf(entry.body));
  const viewOn = String(view.get('viewOn'));
  // What is not restored with it keeps its name.
  const source = isSelected(options.selection, entry.body.db, viewOn) ? renamed(options.selection, entry.body.db, viewOn) : { db: entry.body.db, name: viewOn };
  // A view follows the collection that it is on when both stay together.
  if (source.db === db) view.set('viewOn', source.name);
  plan.views.push({ from: entry.namespace, db, name, options: encodeOrdered(view).toString('base64'), viewOn: String(view.get('viewOn')), trial: `${plan.prefix}.${n}` });
  const inTheWay = displaced(plan, n, chosen, facts);
  if (inTheWay.liveUuid === null) return;
  plan.asides.push(inTheWay);
  // Told before anything is written: an undo renames, and no collection is renamed over a view.
  if (options.oldCollections === 'keep') plan.warnings.push(`${showNamespace(`${db}.${name}`)} becomes a view where a collection is; before an undo puts that back, the view has to be dropped`);
}

function planAuth(plan: RestorePlan, n: number, entry: CollectionEntry): CollectionEntry {
  plan.auth ??= { users: null, roles: null, leftOut: [], merged: false };
  if (entry.body.kind === 'users') plan.auth.users = `${plan.prefix}.${n}`;
  else plan.auth.roles = `${plan.prefix}.${n}`;
  return entry;
}

/** Live names that the snapshot lacks. A snapshot of a part says nothing about the rest, so that stays. */
function planAsides(plan: RestorePlan, last: number, selected: readonly SelectedEntry[], facts: TargetFacts, options: RestoreOptions): void {
  const restored = new Set(selected.map(({ db, name }) => `${db}.${name}`));
  const captured = capturedSelection(options.root.body as unknown as SnapshotBody);
  let n = last;
  for (const [db, names] of facts.live) {
    for (const live of names.values()) {
      if (restored.has(`${db}.${live.name}`) || !isUserNamespace(`${db}.${live.name}`) || !covers(captured, db, live.name) || facts.shadows.has(`${db}.${live.name}`)) continue;
      n += 1;
      if (live.type === 'collection') plan.asides.push(displaced(plan, n, { db, name: live.name }, facts));
      else if (live.type === 'view') plan.asideViews.push({ db, name: live.name, options: encodeOrdered(live.options).toString('base64'), old: `${plan.prefix}.old${n}` });
      else plan.warnings.push(`the time series ${db}.${live.name} is not in the snapshot and stays: it can't be renamed`);
    }
  }
}

/** A view comes after the view that it is on. */
function inBuildingOrder(views: readonly PlannedView[]): PlannedView[] {
  const byName = new Map(views.map((view) => [`${view.db}.${view.name}`, view]));
  const ordered = new Set<PlannedView>();
  const add = (view: PlannedView, depth: number): void => {
    const below = byName.get(`${view.db}.${view.viewOn}`);
    if (below !== undefined && !ordered.has(below) && depth < views.length) add(below, depth + 1);
    ordered.add(view);
  };
  for (const view of views) add(view, 0);
  return [...ordered];
}
