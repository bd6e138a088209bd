// What was opened is closed in reverse, all of it, whatever fails on the way.
import type { Logger } from '../foundation/logger.ts';
import { describeError } from '../foundation/errors.ts';

export interface Closers {
  add(name: string, close: () => Promise<void>): void;
  /** Last opened, first closed. A failure is logged and does not keep the rest open. Safe to call twice. */
  closeAll(): Promise<void>;
}

export function createClosers(log: Logger): Closers {
  const open: { readonly name: string; readonly close: () => Promise<void> }[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      try {
        await next.close();
      } catch (error) {
        log.error({ part: next.name, reason: describeError(error) }, 'closing failed');
      }
    }
  };
  return {
    add: (name, close) => void open.push({ name, close }),
    closeAll: () => (closing ??= closeAll()),
  };
}
