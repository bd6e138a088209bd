// Stands before a server that speaks HTTP, and lets chosen requests get no further until a test says so.
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Hold {
  /** Resolves when one of these has come since this was called, or has been held all the time: `PUT /bucket/name`. */
  comes(request: RegExp): Promise<void>;
  /** Lets through what is held, in its order, and what comes from now on. */
  release(): void;
}

export interface HoldingProxy extends AsyncDisposable {
  readonly port: number;
  /** From now on requests of this kind, by method and path, wait; whoever gives up meanwhile has asked for nothing. */
  hold(request: RegExp): Hold;
}

interface Waiting { readonly line: string; go(): void }

/** @param port of the server behind it, on 127.0.0.1 */
export async function startHoldingProxy(port: number): Promise<HoldingProxy> {
  const holds = new Set<{ readonly kind: RegExp; waiting: Waiting[]; news(line: string): void }>();
  const server = createServer((request, response) => {
    const line = `${request.method} ${decodeURIComponent(new URL(request.url ?? '/', 'http://any').pathname)}`;
    const go = (): void => forward(port, request, response);
    const hold = [...holds].find(({ kind }) => kind.test(line));
    if (hold === undefined) return go();
    const one = { line, go };
    hold.waiting.push(one);
    response.on('close', () => { hold.waiting = hold.waiting.filter((each) => each !== one); });
    hold.news(line);
  });
  // What is held keeps its connection, whatever the time.
  Object.assign(server, { requestTimeout: 0, headersTimeout: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    hold(kind) {
      const awaited = new Set<(line: string) => void>();
      const hold = { kind, waiting: [] as Waiting[], news: (line: string) => awaited.forEach((each) => each(line)) };
      holds.add(hold);
      return {
        comes: (wanted) => new Promise((resolve) => {
          const look = (line: string): void => {
            if (!wanted.test(line)) return;
            awaited.delete(look);
            resolve();
          };
          awaited.add(look);
          hold.waiting.forEach(({ line }) => look(line));
        }),
        release() {
          holds.delete(hold);
          for (const { go } of hold.waiting.splice(0)) go();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** As it came, its host included: that is signed. */
function forward(port: number, request: IncomingMessage, response: ServerResponse): void {
  const onward = ask({ host: '127.0.0.1', port, method: request.method, path: request.url, headers: request.headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}
