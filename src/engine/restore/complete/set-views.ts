// Views of the snapshot become live; live views that it lacks are moved aside.
import { decodeOrderedText, sameValue, type OrderedDocument } from '../../snapshot/index.ts';
import { commandOf } from '../collection-options.ts';
import { listNames, type Listed } from '../open-target.ts';
import type { PlannedView } from '../plan.ts';
import type { CompleteOptions } from './complete-restore.ts';

/** Makes each view as the snapshot has it. In the plan's order: views build on each other. */
export async function setViews({ target, plan, store, log }: CompleteOptions): Promise<void> {
  for (const view of plan.views) {
    await store.hold(plan);
    const db = target.db(view.db);
    const options = decodeOrderedText(view.options);
    const live = (await listNames(target, view.db, [view.name])).get(view.name);
    if (live?.type === 'view' && sameValue(live.options, options)) continue;
    if (live?.type === 'view' && sameCollation(live, options)) {
      await db.command({ collMod: view.name, viewOn: options.get('viewOn'), pipeline: options.get('pipeline'), writeConcern: { w: 'majority' } });
      continue;
    }
    if (live?.type === 'view') await db.command({ drop: view.name });
    else if (live !== undefined) {
      // An insert made a collection where the view belongs; its writes are kept beside.
      await target.admin({ renameCollection: `${view.db}.${view.name}`, to: `${view.db}.${gapOfView(view)}` });
      log.warn({ namespace: `${view.db}.${gapOfView(view)}` }, 'Kept a collection that an application made where a view belongs');
    }
    await db.command({ ...commandOf('create', view.name, options), writeConcern: { w: 'majority' } });
  }
}

/** Makes a view again under its old name, then drops it. */
export async function setAsideViews({ target, plan, store }: CompleteOptions): Promise<void> {
  for (const view of plan.asideViews) {
    await store.hold(plan);
    const db = target.db(view.db);
    const listed = await listNames(target, view.db, [view.name, view.old]);
    const live = listed.get(view.name);
    if (live?.type !== 'view' || !sameValue(live.options, decodeOrderedText(view.options))) continue;
    if (plan.oldCollections === 'keep' && !listed.has(view.old)) await db.command(commandOf('create', view.old, decodeOrderedText(view.options)));
    await db.command({ drop: view.name });
  }
}

function gapOfView(view: PlannedView): string {
  return `${view.trial}.gap`;
}

function sameCollation(live: Listed, options: OrderedDocument): boolean {
  return sameValue(live.options.get('collation'), options.get('collation'));
}
