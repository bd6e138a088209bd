// Sets the real expiry values: from here on the server deletes what is too old.
import { decodeOrderedText } from '../../snapshot/index.ts';
import { isNamespaceMissing } from '../open-target.ts';
import type { CompleteOptions } from './complete-restore.ts';

export async function setExpiries({ target, plan, store, log }: CompleteOptions): Promise<void> {
  for (const { db, name, expiries } of [...plan.swaps, ...plan.timeSeries]) {
    for (const { index, value } of expiries) {
      const expireAfterSeconds = decodeOrderedText(value).get('expireAfterSeconds');
      const change = index === null ? { expireAfterSeconds } : { index: { name: index, expireAfterSeconds } };
      await store.hold(plan);
      try {
        await target.db(db).command({ collMod: name, ...change, writeConcern: { w: 'majority' } });
      } catch (error) {
        // Its owner dropped the collection since it went live; there is nothing to expire.
        if (!isNamespaceMissing(error)) throw error;
        log.warn({ namespace: `${db}.${name}` }, 'Set no expiry: the collection is gone');
      }
    }
  }
}
