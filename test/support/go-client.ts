// A client of the field written in Go, over a real socket: a challenge before every call, its headers, its digest.
import { setTimeout as delay } from 'node:timers/promises';
import { goAnswer, type DigestCredentials } from './digest-clients.ts';
import { PATIENCE_MS } from './patience.ts';

export interface GoAnswer { readonly status: number; readonly json: Record<string, unknown>; readonly headers: Headers }

export interface GoClient {
  /** The first request goes without credentials and with the body, as `mongodb-forks/digest` sends it. */
  call(method: 'GET' | 'POST' | 'PATCH', target: string, body?: unknown): Promise<GoAnswer>;
  /** Asks again until `done` gives something. @throws Error after 60 s with the last answer */
  until<T>(target: string, done: (json: Record<string, unknown>) => T | null): Promise<T>;
}

const PAUSE_MS = 100;

/** @param userAgent such as `mongocli/2.0.7 (linux;amd64)` */
export function goClient(origin: string, userAgent: string, key: DigestCredentials): GoClient {
  const call: GoClient['call'] = async (method, target, body) => {
    const headers = { 'accept': 'application/json', 'accept-encoding': 'gzip', 'user-agent': userAgent, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const asked = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const challenged = await fetch(origin + target, { ...asked, headers });
    await challenged.arrayBuffer();
    if (challenged.status !== 401) throw new Error(`${method} ${target} was answered ${challenged.status} without credentials`);
    const answer = await fetch(origin + target, { ...asked, headers: { ...headers, authorization: goAnswer(challenged.headers.get('www-authenticate') ?? undefined, { method, target }, key) } });
    const text = await answer.text();
    return { status: answer.status, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>), headers: answer.headers };
  };
  return {
    call,
    async until(target, done) {
      let last: GoAnswer | undefined;
      for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await delay(PAUSE_MS)) {
        last = await call('GET', target);
        const found = last.status === 200 ? done(last.json) : null;
        if (found !== null) return found;
      }
      throw new Error(`Waited 60 s for ${target}; the last answer was ${JSON.stringify(last?.json)}`);
    },
  };
}
