// Makes the collections and views that the plan names: with their options, without expiry and indexes.
import { LeafvaultError } from '../../foundation/errors.ts';
import { bucketsOf, showNamespace } from '../mongo/namespaces.ts';
import { decodeOrderedText, type OrderedDocument } from '../snapshot/index.ts';
import { shadowOptions } from './capped-room.ts';
import { commandOf } from './collection-options.ts';
import { COLLECTIONS_AT_ONCE, type Load, type RestoreContext } from './context.ts';
import { eachBounded } from './each-bounded.ts';
import { uuidsOf } from './displace.ts';
import { dropNamed } from './drop-named.ts';
import { takeOver } from './rest-shadows.ts';

/**
 * The names are in the saved plan before the first is made; the UUIDs are saved when all are.
 * @throws RESTORE_SHADOW_FAILED with what the target refused
 */
export async function createShadows(context: RestoreContext): Promise<void> {
  const { plan, loads, options } = context;
  await eachBounded(loads, COLLECTIONS_AT_ONCE, async (load) => {
    options.signal.throwIfAborted();
    const { step } = load;
    if (!(await takeOver(context, load))) await create(context, { db: step.db, name: step.shadow, from: step.from, fields: shadowOptions(context, load) });
  });
  for (const view of plan.views) {
    options.signal.throwIfAborted();
    await create(context, { db: view.db, name: view.trial, from: view.from, fields: decodeOrderedText(view.options) });
  }
  for (const name of [plan.auth?.users, plan.auth?.roles]) {
    if (name != null) await create(context, { db: 'admin', name, from: 'admin', fields: new Map() });
  }
  await noteUuids(context, loads);
  // Taken over, or by nobody: then it goes.
  await dropNamed(context.target, plan.rested, options.log);
  plan.rested = [];
  await context.store.save(plan);
}

async function create({ target }: RestoreContext, shadow: { readonly db: string; readonly name: string; readonly from: string; readonly fields: OrderedDocument }): Promise<void> {
  try {
    await target.db(shadow.db).command({ ...commandOf('create', shadow.name, shadow.fields), writeConcern: { w: 1 } });
  } catch (cause) {
    if (typeof (cause as { readonly code?: unknown }).code !== 'number') throw cause;
    throw new LeafvaultError('RESTORE_SHADOW_FAILED', `Making a place for ${showNamespace(shadow.from)} on the target failed: ${(cause as Error).message}`, {
      cause, hint: 'Choose the other collections, or restore into a server of the version of the source',
    });
  }
}

async function noteUuids({ target }: RestoreContext, loads: readonly Load[]): Promise<void> {
  const byDatabase = Map.groupBy(loads, ({ step }) => step.db);
  for (const [db, group] of byDatabase) {
    const names = group.map(({ entry, step }) => (entry.body.kind === 'timeseries' ? bucketsOf(step.shadow) : step.shadow));
    const uuids = await uuidsOf(target, db, names);
    group.forEach(({ step }, index) => {
      step.shadowUuid = uuids.get(names[index] ?? '') ?? null;
    });
  }
}
