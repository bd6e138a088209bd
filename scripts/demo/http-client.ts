// The demo's own clients, as any customer would write them: HTTP Digest (RFC 7616, qop=auth) and plain.
// Nothing of Leafvault's code is used here.
import { createHash, randomBytes } from 'node:crypto';
import type { Story } from './story.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Wire shapes of four APIs: the demo reads a field here and there and fails when it is not what it needs.
  readonly body: Readonly<Record<string, unknown>>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the answer means, for the story; absent: the call is not told. */
  readonly meaning?: (answer: Answer) => string;
  /** Any status but these ends the demo; 200 by default. */
  readonly expect?: readonly number[];
}

export interface Client {
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
}

/** A client that answers digest challenges for one API key. */
export function digestClient(story: Story, origin: string, key: { readonly publicKey: string; readonly privateKey: string }): Client {
  return clientOf(story, async (method, path, init) => {
    const first = await fetch(`${origin}${path}`, init);
    const challenge = first.headers.get('www-authenticate') ?? '';
    if (first.status !== 401 || !challenge.startsWith('Digest ')) return first;
    await first.arrayBuffer();
    const headers = { ...(init.headers as Record<string, string>), authorization: digestAnswer(challenge, method, path, key) };
    return fetch(`${origin}${path}`, { ...init, headers });
  });
}

/** A client that sends the same headers with every call. */
export function plainClient(story: Story, origin: string, headers: Readonly<Record<string, string>> = {}): Client {
  return clientOf(story, (_method, path, init) => fetch(`${origin}${path}`, { ...init, headers: { ...(init.headers as Record<string, string>), ...headers } }));
}

type Send = (method: string, path: string, init: RequestInit) => Promise<Response>;

function clientOf(story: Story, send: Send): Client {
  return {
    async call(method, path, options = {}) {
      const init: RequestInit = {
        method,
        headers: { ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      };
      const response = await send(method, path, init);
      const text = await response.text();
      const answer: Answer = { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
      if (!(options.expect ?? [200]).includes(answer.status)) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 500)}`);
      if (options.meaning !== undefined) story.call(method, shorten(path), answer.status, options.meaning(answer));
      return answer;
    },
  };
}

function digestAnswer(challenge: string, method: string, uri: string, { publicKey, privateKey }: { readonly publicKey: string; readonly privateKey: string }): string {
  const given = Object.fromEntries([...challenge.matchAll(/(\w+)="?([^",]*)"?/g)].map(([, name, value]) => [name, value]));
  const cnonce = randomBytes(8).toString('hex');
  const ha1 = md5(`${publicKey}:${given.realm}:${privateKey}`);
  const response = md5(`${ha1}:${given.nonce}:00000001:${cnonce}:auth:${md5(`${method}:${uri}`)}`);
  return `Digest username="${publicKey}", realm="${given.realm}", nonce="${given.nonce}", uri="${uri}", algorithm=MD5, qop=auth, nc=00000001, cnonce="${cnonce}", response="${response}"`;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** Ids of 24 digits say nothing to a reader. */
function shorten(path: string): string {
  return path.replace(/([0-9a-f]{4})[0-9a-f]{16}([0-9a-f]{4})/g, '$1…$2');
}
