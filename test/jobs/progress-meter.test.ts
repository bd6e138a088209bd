import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createProgressMeter } from '../../src/jobs/progress-meter.ts';
import { fakeClock } from '../support/fake-clock.ts';

const at = (bytesDone: number, phase = 'scan') => ({ phase, documentsDone: bytesDone / 10, documentsTotal: 1000, bytesDone, bytesTotal: 10_000, namespace: 'a.b' });

describe('the progress meter', () => {
  test('gives news at most once a second, with rate and time to go', () => {
    const clock = fakeClock();
    const meter = createProgressMeter(clock);
    assert.equal(meter.take(), null);
    meter.report(at(0));
    assert.equal(meter.take()?.bytesPerSecond, null);
    clock.advance(500);
    meter.report(at(500));
    assert.equal(meter.take(), null);
    clock.advance(500);
    meter.report(at(1000));
    const news = meter.take();
    assert.equal(news?.bytesPerSecond, 1000);
    assert.equal(news?.etaSeconds, 9);
    clock.advance(1000);
    assert.equal(meter.take(), null, 'nothing moved');
  });

  test('follows a change of speed slowly and begins again with a phase', () => {
    const clock = fakeClock();
    const meter = createProgressMeter(clock);
    for (const bytes of [0, 1000, 3000]) {
      meter.report(at(bytes));
      meter.take();
      clock.advance(1000);
    }
    assert.equal(meter.last()?.bytesPerSecond, 1300);
    meter.report(at(3000, 'settle'));
    assert.equal(meter.take()?.bytesPerSecond, null);
  });

  test('knows since when nothing moved, without the time in which the process stood still', () => {
    const clock = fakeClock();
    const meter = createProgressMeter(clock);
    meter.report(at(1));
    clock.advance(4000);
    meter.report(at(1));
    assert.deepEqual(meter.standstill(), { phase: 'scan', ms: 4000 });
    meter.forgive(3000);
    assert.equal(meter.standstill().ms, 1000);
    meter.report({ ...at(1), namespace: 'a.c' });
    assert.equal(meter.standstill().ms, 0);
  });

  test('keeps a copy of what was reported', () => {
    const meter = createProgressMeter(fakeClock());
    const progress = { ...at(1) };
    meter.report(progress);
    progress.bytesDone = 99;
    assert.equal(meter.last()?.bytesDone, 1);
  });
});
