// Runs a task for each item, a few at a time; the first failure ends the rest.

/** Resolves when all are done. Items that were not begun when one failed never begin. */
export async function runAtOnce<T>(items: readonly T[], atOnce: number, task: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const item = items[next] as T;
      next += 1;
      try {
        await task(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, lane);
  const outcomes = await Promise.allSettled(lanes);
  const first = outcomes.find((outcome) => outcome.status === 'rejected');
  if (first !== undefined) throw first.reason;
}
