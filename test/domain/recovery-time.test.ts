import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DrillPhaseName, DrillPlace } from '../../src/domain/drill.ts';
import { recoveryTime } from '../../src/domain/recovery-time.ts';

const drill = (bytes: number, phases: Partial<Record<DrillPhaseName, number>>, place: DrillPlace = 'scratch', targetClusterId: string | null = 'a') =>
  ({ bytes, place, targetClusterId, phases: Object.entries(phases).map(([phase, ms]) => ({ phase: phase as DrillPhaseName, ms })) });

describe('the expected recovery time', () => {
  test('is not known without a proven drill', () => assert.equal(recoveryTime(1000, []), null));

  test('scales what grows with the bytes, takes the longest of what does not, and leaves out what is the drill\'s own', () => {
    const found = recoveryTime(10_000, [
      drill(1000, { preflight: 5, prepare: 1, load: 100, indexes: 10, prove: 50, drop: 999 }),
      drill(3000, { start: 999, preflight: 2, prepare: 7, load: 100, indexes: 30, prove: 50, drop: 999 }),
    ]) ?? assert.fail();
    assert.deepEqual(found.phases, [
      { phase: 'preflight', ms: 5 }, { phase: 'prepare', ms: 7 }, { phase: 'load', ms: 500 }, { phase: 'indexes', ms: 100 }, { phase: 'prove', ms: 250 },
    ]);
    assert.equal(found.milliseconds, 862);
    assert.deepEqual([found.drills, found.drilledBytes, found.unmeasured], [2, 4000, ['swap', 'finish']]);
  });

  test('counts five drills in the place of the newest', () => {
    const fast = drill(1000, { load: 10 }, 'mongod', null);
    const others = Array.from({ length: 5 }, () => drill(1000, { load: 1e6 }));
    assert.equal(recoveryTime(1000, [fast, ...others])?.milliseconds, 10);
    assert.equal(recoveryTime(1000, [fast, drill(1000, { load: 1e6 }, 'mongod', null), ...others])?.drills, 2);
    assert.equal(recoveryTime(1000, [...Array.from({ length: 5 }, () => fast), drill(1000, { load: 1e6 }, 'mongod', null)])?.milliseconds, 10);
  });

  test('takes the longest where no byte was drilled', () => assert.equal(recoveryTime(1000, [drill(0, { load: 3 }), drill(0, { load: 9 })])?.milliseconds, 9));
});
