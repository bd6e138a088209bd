// LISTEN on a connection of its own, connected again whenever it breaks. A message may be lost in between:
// whoever listens must also look by itself from time to time.
import pg from 'pg';
import type { Logger } from '../foundation/logger.ts';
import { clientConfigOf, type Address } from './connection.ts';

export interface Listener { close(): Promise<void> }

const RECONNECT_MS = 500;

/** Calls `onMessage` with each payload, and `onConnect` after every (re)connect, when messages may have been missed. */
export function listen(options: {
  readonly address: Address; readonly channel: string; readonly log: Logger;
  readonly onMessage: (payload: string) => void; readonly onConnect?: () => void;
}): Listener {
  let closed = false;
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;

  const again = (): void => {
    client = null;
    if (!closed) timer = setTimeout(() => void open(), RECONNECT_MS);
  };
  const open = async (): Promise<void> => {
    const next = new pg.Client(clientConfigOf(options.address, null));
    next.on('error', (error) => options.log.debug({ reason: error.message }, 'the listening connection broke'));
    next.on('notification', ({ payload }) => options.onMessage(payload ?? ''));
    try {
      await next.connect();
      next.on('end', again);
      client = next;
      await next.query(`listen ${options.channel}`);
      options.onConnect?.();
    } catch {
      // Not reachable now: the looking of the caller stands in until it is.
      if (client === null) again();
      await next.end().catch(() => undefined);
    }
    if (closed) await next.end().catch(() => undefined);
  };
  void open();

  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
