// Builds the secondary indexes of all shadows, the largest first.
import { planIndexes } from './index-plan.ts';
import { buildIndexes } from './build-indexes.ts';
import type { RestoreContext } from './context.ts';
import { eachBounded } from './each-bounded.ts';
import { largestFirst } from './load-shadows.ts';

/** One build uses one core of a server; more at once would only take memory from what is live. */
const BUILDS_AT_ONCE = 2;

/** What fails is noted in the plan by name, key and reason, and in the log. */
export async function addIndexes(context: RestoreContext): Promise<void> {
  const { options, target, loads, tally } = context;
  tally.begin('indexes');
  await eachBounded(largestFirst(loads), BUILDS_AT_ONCE, async ({ entry, step }) => {
    options.signal.throwIfAborted();
    const { indexes } = planIndexes(entry.body, options.indexStrategy);
    const { built, failed } = await buildIndexes(target, { db: step.db, collection: step.shadow, indexes, signal: options.signal });
    if ('indexCount' in step) step.indexCount = built;
    else step.indexes = built;
    step.failedIndexes = [...failed];
    const failedNames = new Set(failed.map(({ name }) => name));
    step.expiries = step.expiries.filter(({ index }) => index === null || !failedNames.has(index));
    for (const { name, reason } of failed) options.log.warn({ namespace: step.from, index: name, reason }, 'An index could not be built on the restored collection');
  });
}
