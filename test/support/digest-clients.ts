// The digest of the field's clients, written apart from the server's: what Go's library and urllib send.
import { createHash, randomBytes } from 'node:crypto';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

export interface DigestCredentials { readonly publicKey: string; readonly privateKey: string }

/** Of a challenge: fails as Go's parser does on anything that it does not know. */
export function parseChallenge(header: string | undefined): Readonly<Record<string, string>> {
  if (header === undefined || !header.startsWith('Digest ')) throw new Error('challenge is bad: no Digest');
  const items: Record<string, string> = {};
  for (const item of header.slice('Digest '.length).split(', ')) {
    const [name = '', value = ''] = item.split(/=(.*)/s);
    if (!['realm', 'domain', 'nonce', 'opaque', 'stale', 'algorithm', 'qop'].includes(name)) throw new Error(`challenge is bad: ${name}`);
    items[name] = value.replace(/^"|"$/g, '');
  }
  if (items['qop'] !== undefined && items['qop'] !== 'auth') throw new Error('challenge is bad: qop');
  return items;
}

/** As `github.com/mongodb-forks/digest` writes it: a new challenge for every call, so the count is always 1. */
export function goAnswer(challenge: string | undefined, request: { readonly method: string; readonly target: string }, { publicKey, privateKey }: DigestCredentials): string {
  const { realm = '', nonce = '' } = parseChallenge(challenge);
  const cnonce = randomBytes(8).toString('hex');
  const response = md5(`${md5(`${publicKey}:${realm}:${privateKey}`)}:${nonce}:00000001:${cnonce}:auth:${md5(`${request.method}:${request.target}`)}`);
  return `Digest username="${publicKey}", realm="${realm}", nonce="${nonce}", uri="${request.target}", response="${response}", algorithm="MD5", qop=auth, nc=00000001, cnonce="${cnonce}"`;
}

/** As npm's urllib writes it: the count is one of the process, so a fresh nonce may come with any; no algorithm. */
export function urllibAnswer(
  challenge: string | undefined, request: { readonly method: string; readonly target: string; readonly count: number }, { publicKey, privateKey }: DigestCredentials,
): string {
  const { realm = '', nonce = '' } = parseChallenge(challenge);
  const nc = request.count.toString(16).padStart(8, '0');
  const cnonce = randomBytes(8).toString('hex');
  const response = md5(`${md5(`${publicKey}:${realm}:${privateKey}`)}:${nonce}:${nc}:${cnonce}:auth:${md5(`${request.method}:${request.target}`)}`);
  return `Digest username="${publicKey}", realm="${realm}", nonce="${nonce}", uri="${request.target}", response="${response}", qop=auth, nc=${nc}, cnonce="${cnonce}"`;
}
