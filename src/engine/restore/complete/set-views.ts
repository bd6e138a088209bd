// Views of the snapshot become live; live views that it lacks are moved aside.
import { showNamespace } from '../../mongo/namespaces.ts';
import { decodeOrderedText, encodeOrdered, sameValue, type OrderedDocument } from '../../snapshot/index.ts';
import { commandOf } from '../collection-options.ts';
import { listNames, type Listed } from '../open-target.ts';
import { gapNamesOfView, type AsideView, type PlannedView } from '../plan.ts';
import type { CompleteOptions } from './complete-restore.ts';
import { orWarn, warn } from './or-warn.ts';

/** Makes each view as the snapshot has it. In the plan's order: views build on each other. */
export async function setViews(options: CompleteOptions): Promise<void> {
  for (const view of options.plan.views) {
    await options.store.hold(options.plan);
    const made = await orWarn(options, `Making the view ${showNamespace(`${view.db}.${view.name}`)}`, () => setView(options, view));
    // In an undo its kept copy is all that is left of it.
    if (!made && view.keptAs !== undefined) delete view.keptAs;
  }
}

async function setView({ target, plan, store, log }: CompleteOptions, view: PlannedView): Promise<void> {
  const db = target.db(view.db);
  const options = decodeOrderedText(view.options);
  const live = (await listNames(target, view.db, [view.name])).get(view.name);
  if (view.before === undefined) {
    // For an undo: once it is changed, nobody knows what it was.
    view.before = live?.type === 'view' ? encodeOrdered(live.options).toString('base64') : null;
    await store.save(plan);
  }
  if (live?.type === 'view' && sameValue(live.options, options)) return;
  if (live?.type === 'view' && sameCollation(live, options)) {
    await db.command({ collMod: view.name, viewOn: options.get('viewOn'), pipeline: options.get('pipeline'), writeConcern: { w: 'majority' } });
    return;
  }
  if (live?.type === 'view') await db.command({ drop: view.name });
  else if (live !== undefined) {
    // An insert made a collection where the view belongs; its writes are kept beside.
    const taken = await listNames(target, view.db, gapNamesOfView(view));
    const gap = gapNamesOfView(view).find((name) => !taken.has(name)) ?? '';
    await target.admin({ renameCollection: `${view.db}.${view.name}`, to: `${view.db}.${gap}`, writeConcern: { w: 'majority' } });
    warn(plan, log, `${showNamespace(`${view.db}.${view.name}`)} was a collection that an application made where a view belongs; it is kept as ${showNamespace(`${view.db}.${gap}`)}`);
  }
  await db.command({ ...commandOf('create', view.name, options), writeConcern: { w: 'majority' } });
}

/** Makes a view again under its old name, then drops it. */
export async function setAsideViews(options: CompleteOptions): Promise<void> {
  for (const view of options.plan.asideViews) {
    await options.store.hold(options.plan);
    await orWarn(options, `Moving the view ${showNamespace(`${view.db}.${view.name}`)} aside`, () => setAside(options, view));
  }
}

async function setAside({ target, plan }: CompleteOptions, view: AsideView): Promise<void> {
  const db = target.db(view.db);
  const listed = await listNames(target, view.db, [view.name, view.old]);
  const live = listed.get(view.name);
  if (live?.type !== 'view' || !sameValue(live.options, decodeOrderedText(view.options))) return;
  if (plan.oldCollections === 'keep' && !listed.has(view.old)) await db.command(commandOf('create', view.old, decodeOrderedText(view.options)));
  await db.command({ drop: view.name });
}

function sameCollation(live: Listed, options: OrderedDocument): boolean {
  return sameValue(live.options.get('collation'), options.get('collation'));
}
