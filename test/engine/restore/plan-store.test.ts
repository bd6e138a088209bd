import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refuseLargePlan } from '../../../src/engine/restore/plan-store.ts';
import { newPlan, type RestorePlan, type SwapStep } from '../../../src/engine/restore/plan.ts';

describe('a plan', () => {
  const planOf = (collections: number): RestorePlan => {
    const plan = newPlan({ restoreId: 'a'.repeat(24), snapshotId: 'b'.repeat(24), oldCollections: 'drop', createdAt: '2026-03-01T12:00:00Z', warnings: [] });
    plan.swaps.push(...Array.from({ length: collections }, (_, n): SwapStep => ({
      db: 'shop', name: `orders_${n}`, liveUuid: 'c'.repeat(32), old: `${plan.prefix}.old${n}`, gap: `${plan.prefix}.gap${n}`, from: `shop.orders_${n}`,
      shadow: `${plan.prefix}.${n}`, shadowUuid: null, proven: null, indexes: 0, failedIndexes: [], expiries: [],
    })));
    return plan;
  };

  test('of ten thousand collections fits into its document', () => refuseLargePlan(planOf(10_000)));

  test('that would not fit is refused before anything is written', () => {
    assert.throws(() => refuseLargePlan(planOf(40_000)), { code: 'RESTORE_PREFLIGHT_REFUSED', message: /its plan names 40000 collections/ });
  });
});
