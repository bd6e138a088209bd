// How the SDK talks to a server: kept connections, and time-outs, of which it has none by itself.
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

export interface Patience {
  /** Until a connection is there; 5 s by default. */
  readonly connectMs?: number;
  /** Without a byte in either direction; 30 s by default. */
  readonly silentMs?: number;
}

const SOCKETS = 32;

export function createRequestHandler({ connectMs = 5_000, silentMs = 30_000 }: Patience = {}): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  // The handler's `requestTimeout` ends nothing: it warns on the console, also of a slow upload that goes well.
  return new NodeHttpHandler({ connectionTimeout: connectMs, socketTimeout: silentMs, socketAcquisitionWarningTimeout: connectMs + silentMs, httpAgent: new HttpAgent(agent), httpsAgent: new HttpsAgent(agent) });
}
