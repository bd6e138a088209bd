// A clock that stands still until a test moves it.
import type { Clock } from '../../src/foundation/clock.ts';

export interface FakeClock extends Clock {
  advance(milliseconds: number): void;
}

export function fakeClock(start = new Date('2026-03-01T12:00:00Z')): FakeClock {
  let at = start.getTime();
  return {
    now: () => new Date(at),
    monotonicMs: () => at - start.getTime(),
    advance(milliseconds) { at += milliseconds; },
  };
}

/** A clock that goes on by a second each time somebody looks: nothing happens in the same second as something else. */
export function steppingClock(start = new Date()): Clock {
  let at = start.getTime();
  return { now: () => new Date((at += 1_000)), monotonicMs: () => performance.now() };
}
