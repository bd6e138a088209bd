// Time, as a thing that is passed in: the only place that reads the machine's clock.

export interface Clock {
  /** Wall-clock time; never used to decide on a deletion. */
  now(): Date;
  /** Milliseconds that only grow, for rates and time-outs. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};
