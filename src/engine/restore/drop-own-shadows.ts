// What an attempt may have made behind the back of the worker that ended its plan: an insert makes a collection anew.
import type { RestoreOptions } from '../contracts.ts';
import { bucketsOf } from '../mongo/namespaces.ts';
import { dropNamed } from './drop-named.ts';
import { openTarget } from './open-target.ts';
import { shadowsOf, type RestorePlan } from './plan.ts';

/**
 * Drops the shadows of an attempt that failed before its swap, by the plan that it has in memory. Needs no lease: the
 * random prefix is this attempt's alone, and what it holds was never live. UUIDs don't count: made anew, they are others.
 */
export async function dropOwnShadows({ target: { uri }, signal, log }: Pick<RestoreOptions, 'target' | 'signal' | 'log'>, plan: RestorePlan): Promise<void> {
  if (plan.state !== 'preparing' && plan.state !== 'proven') return;
  // What rests of an attempt before it is the next one's.
  const names = shadowsOf(plan).filter(({ name }) => name.startsWith(plan.prefix)).map(({ db, name }) => ({ db, name, uuid: null }));
  const buckets = plan.timeSeries.map(({ db, shadow }) => ({ db, name: bucketsOf(shadow), uuid: null }));
  const target = await openTarget(uri, signal);
  try {
    await dropNamed(target, names, log);
    await dropNamed(target, buckets, log);
  } finally {
    await target.close();
  }
}
