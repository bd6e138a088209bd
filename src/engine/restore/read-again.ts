// Reads of a target that an election or a restart interrupts are begun again.
import { sleep } from '../../foundation/abort.ts';
import { isTransient } from '../mongo/raw-insert.ts';

const TRIES = 5;
/** CursorNotFound, QueryPlanKilled, CursorKilled: an election took the cursor's member away, or a restart did. */
const CURSOR_LOST: ReadonlySet<unknown> = new Set([43, 175, 237]);

/**
 * @param read from its beginning, at each call
 * @param options `onAgain`: what was read so far counts for nothing
 * @throws what `read` threw at its last try, or what no second try would change
 */
export async function readAgain<T>(read: () => Promise<T>, options: { readonly signal?: AbortSignal | undefined; readonly onAgain?: (() => void) | undefined } = {}): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      const isLost = isTransient(error) || CURSOR_LOST.has((error as { readonly code?: unknown }).code);
      if (!isLost || attempt === TRIES) throw error;
      // The driver may hold a member for the primary for a moment that is none any more.
      await sleep(100 * (attempt - 1), options.signal);
      options.onAgain?.();
    }
  }
}
