// What a digest client computes, written apart from the code under test.
import { createHash } from 'node:crypto';

export const DIGEST_KEY = { username: 'abcdefgh', password: '00000000-0000-4000-8000-000000000000' };

export interface DigestOverrides {
  readonly username?: string; readonly password?: string; readonly realm?: string; readonly uri?: string; readonly nc?: string;
  readonly cnonce?: string; readonly qop?: string | null; readonly algorithm?: string; readonly method?: string; readonly response?: string;
}

/** The nonce of a challenge. */
export function nonceOf(challenge: string): string {
  return /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
}

/** An `Authorization` header; `qop: null` is the form without qop. */
export function digestAnswer(nonce: string, overrides: DigestOverrides = {}): string {
  const { username, password, realm, uri, nc, cnonce, qop, method, algorithm } = {
    ...DIGEST_KEY, realm: 'MMS Public API', uri: '/', nc: '00000001', cnonce: '0a4f113b', qop: 'auth', method: 'GET', algorithm: 'MD5', ...overrides,
  };
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const ha1 = md5(`${username}:${realm}:${password}`);
  const ha2 = md5(`${method}:${uri}`);
  const response = overrides.response ?? md5(qop === null ? `${ha1}:${nonce}:${ha2}` : `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`);
  const tail = qop === null ? '' : `, qop=${qop}, nc=${nc}, cnonce="${cnonce}"`;
  return `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm="${algorithm}"${tail}`;
}
