// Ends a plan on the old side: every rename undone by UUID, every shadow dropped.
import type { Logger } from '../../foundation/logger.ts';
import { bytesOf, hashOf } from '../bson/index.ts';
import { putBack, uuidsOf } from './displace.ts';
import { dropNamed } from './drop-named.ts';
import { noteIntruder, settleIntruders } from './intruders.ts';
import type { Target } from './open-target.ts';
import { gapNames, shadowsOf, type RestorePlan, type SwapStep } from './plan.ts';
import type { PlanStore } from './plan-store.ts';
import { readContent } from './read-content.ts';

/** What a roll back may read again, in all, to drop it; the rest is kept unread, so that it ends soon. */
const READ_BYTES = 1024 ** 3;

export interface RollBackOptions {
  readonly log: Logger;
  /** Undefined: what was live for a while is kept. */
  readonly hashSeed?: Uint8Array | undefined;
}

/**
 * Safe to call again. A step that can't be put back doesn't stop the others; the first failure is thrown at the end
 * and the plan stays open.
 * @throws RESTORE_SWAP_FAILED; what the journal throws when the lease is lost, then at once
 */
export async function rollBack(target: Target, plan: RestorePlan, store: PlanStore, { log, hashSeed }: RollBackOptions): Promise<void> {
  if (plan.state === 'swapping') plan.wereLive = [...new Set([...plan.wereLive, ...(await liveShadows(target, plan))])];
  // The fence: a worker that lost its lease ends here, before it touches what is another's now.
  await store.save(plan);
  const steps = [...plan.asides, ...plan.swaps].reverse();
  if (plan.state === 'swapping') {
    let failure: { readonly error: unknown } | undefined;
    for (const step of steps) {
      await store.hold(plan);
      try {
        await putBack(target, step, (intruder) => noteIntruder(plan, store, intruder));
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    await settleIntruders(target, plan);
  }
  const written = plan.state === 'swapping' ? await writtenShadows(target, plan, hashSeed) : [];
  const own = plan.kind === 'undo' ? [] : shadowsOf(plan).filter(({ db, name }) => !written.includes(`${db}.${name}`));
  await dropNamed(target, own, log, () => store.hold(plan));
  plan.kept = [...new Set([...plan.kept, ...written, ...(await keptGaps(target, plan))])];
  if (plan.kept.length > 0) log.warn({ collections: plan.kept }, 'Kept collections that applications may have written to while names were being swapped: look at them, then drop them');
  plan.state = 'undone';
  await store.save(plan);
  if (plan.kept.length === 0) await store.forget(plan);
}

/** UUIDs of the shadows that have a live name now. */
async function liveShadows(target: Target, plan: RestorePlan): Promise<string[]> {
  const live: string[] = [];
  for (const [db, steps] of Map.groupBy(plan.swaps, (step) => step.db)) {
    const uuids = await uuidsOf(target, db, steps.map(({ name }) => name));
    for (const { name, shadowUuid } of steps) if (shadowUuid !== null && uuids.get(name) === shadowUuid) live.push(shadowUuid);
  }
  return live;
}

/** Shadows that were live for a while, but for those that provably hold what they held before: those writes were acknowledged. */
async function writtenShadows(target: Target, plan: RestorePlan, hashSeed: Uint8Array | undefined): Promise<string[]> {
  const written: string[] = [];
  let left = READ_BYTES;
  for (const step of plan.swaps) {
    if (step.shadowUuid === null || !plan.wereLive.includes(step.shadowUuid)) continue;
    if ((await uuidsOf(target, step.db, [step.shadow])).get(step.shadow) !== step.shadowUuid) continue;
    const bytes = step.proven?.bytes ?? Number.POSITIVE_INFINITY;
    if (bytes > left || !(await isUntouched(target, step, hashSeed))) written.push(`${step.db}.${step.shadow}`);
    left -= Math.min(bytes, left);
  }
  return written;
}

async function isUntouched(target: Target, { db, shadow, proven }: SwapStep, hashSeed: Uint8Array | undefined): Promise<boolean> {
  if (proven === null || hashSeed === undefined) return false;
  const { n } = await target.db(db).command({ count: shadow });
  if (Number(n) !== proven.documents) return false;
  const content = await readContent(target, { db, collection: shadow, hashSeed, documentBytes: proven.bytes / Math.max(1, proven.documents) });
  return hashOf(content) === proven.hash && bytesOf(content) === proven.bytes;
}

async function keptGaps(target: Target, plan: RestorePlan): Promise<string[]> {
  const kept: string[] = [];
  for (const step of [...plan.swaps, ...plan.asides]) {
    for (const name of (await uuidsOf(target, step.db, gapNames(step))).keys()) kept.push(`${step.db}.${name}`);
  }
  return kept;
}
