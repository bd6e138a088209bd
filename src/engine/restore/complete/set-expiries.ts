// Sets the real expiry values: from here on the server deletes what is too old.
import { decodeOrderedText } from '../../snapshot/index.ts';
import { showNamespace } from '../../mongo/namespaces.ts';
import type { CompleteOptions } from './complete-restore.ts';
import { orWarn } from './or-warn.ts';

export async function setExpiries(options: CompleteOptions): Promise<void> {
  const { target, plan, store } = options;
  for (const { db, name, expiries } of [...plan.swaps, ...plan.timeSeries]) {
    for (const { index, value } of expiries) {
      const expireAfterSeconds = decodeOrderedText(value).get('expireAfterSeconds');
      const change = index === null ? { expireAfterSeconds } : { index: { name: index, expireAfterSeconds } };
      await store.hold(plan);
      // Its owner may have dropped the index, or the collection, since it went live; there is nothing to expire then.
      await orWarn(options, `Setting the expiry of ${showNamespace(`${db}.${name}`)}`, () => target.db(db).command({ collMod: name, ...change, writeConcern: { w: 'majority' } }));
    }
  }
}
