// How the SDK talks to a server: kept connections, and time-outs, of which it has none by itself.
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

const CONNECT_MS = 5_000;
/** Without a byte in either direction. */
const SILENT_MS = 30_000;
const SOCKETS = 32;

export function createRequestHandler(): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  return new NodeHttpHandler({ connectionTimeout: CONNECT_MS, requestTimeout: SILENT_MS, socketTimeout: SILENT_MS, httpAgent: new HttpAgent(agent), httpsAgent: new HttpsAgent(agent) });
}
