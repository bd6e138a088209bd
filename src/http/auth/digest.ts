// HTTP Digest (RFC 7616 with qop=auth, and the form without qop of RFC 2069) over API keys. The challenge is
// bound by what Go's digest client can read: see `digestChallenge`.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../../domain/roles.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { Identity } from '../../services/contracts.ts';
import { DIGEST_REALM } from '../../services/index.ts';
import { parseDigestHeader } from './digest-header.ts';
import { issueNonce, readNonce } from './nonce.ts';

/** Long enough for a slow second round trip; a client with an older one is asked again with stale=true. */
export const NONCE_LIFETIME_MS = 5 * 60_000;
/** Used pairs are remembered this much longer than the nonce lives, for clocks that differ between machines. */
const CLOCK_SLACK_MS = 10 * 60_000;
/** HA1 that no one has: an unknown key costs the same steps as a known one. */
const NOBODY = '0'.repeat(32);

export interface DigestRequest {
  readonly method: string;
  /** Request target exactly as it came: path and query. */
  readonly target: string;
  readonly header: string;
}

export type DigestOutcome =
  | { readonly ok: true; readonly principal: Principal; readonly accessList: readonly string[] }
  | { readonly ok: false; readonly reason: 'invalid' | 'stale' };

const INVALID: DigestOutcome = { ok: false, reason: 'invalid' };
const STALE: DigestOutcome = { ok: false, reason: 'stale' };

/**
 * The value of the one `WWW-Authenticate` header. Go's parser splits on comma and one space, knows these names only
 * and takes a single qop; a page of the field prints `op="auth"`, which fails there (reference/opsmanager.md).
 */
export function digestChallenge(identity: Pick<Identity, 'signingKey'>, clock: Clock, stale: boolean): string {
  const nonce = issueNonce(identity.signingKey('digest-nonce'), clock.now());
  return `Digest realm="${DIGEST_REALM}", domain="", nonce="${nonce}", algorithm=MD5, qop="auth", stale=${stale}`;
}

/**
 * Proves a digest answer. `stale` is said only to a right answer: to a nonce that expired, or whose pair of nonce and
 * count was used before (whoever knows the key asks again by himself, a replay gains nothing).
 */
export async function verifyDigest(
  identity: Pick<Identity, 'apiKey' | 'takeNonceCount' | 'signingKey'>, clock: Clock, request: DigestRequest,
): Promise<DigestOutcome> {
  const answer = readAnswer(request);
  if (answer === null) return INVALID;
  const key = await identity.apiKey(answer.username);
  const expected = responseFor(answer, request, key?.ha1 ?? NOBODY);
  const right = timingSafeEqual(Buffer.from(expected), Buffer.from(answer.response));
  const issuedAt = readNonce(identity.signingKey('digest-nonce'), answer.nonce);
  if (!right || key === null || issuedAt === null) return INVALID;
  const expiresAt = new Date(issuedAt.getTime() + NONCE_LIFETIME_MS);
  if (clock.now() >= expiresAt) return STALE;
  const fresh = await identity.takeNonceCount(answer.nonce, answer.count, new Date(expiresAt.getTime() + CLOCK_SLACK_MS));
  return fresh ? { ok: true, principal: key.principal, accessList: key.accessList } : STALE;
}

interface Answer {
  readonly username: string;
  readonly nonce: string;
  /** 32 lower-case hex digits. */
  readonly response: string;
  /** What stands between nonce and HA2: `nc:cnonce:qop`, or nothing in the form without qop. */
  readonly middle: string;
  /** 0 in the form without qop: such a nonce serves once. */
  readonly count: number;
}

function readAnswer(request: DigestRequest): Answer | null {
  const given = parseDigestHeader(request.header);
  const username = given?.get('username');
  const nonce = given?.get('nonce');
  const response = given?.get('response')?.toLowerCase();
  if (given === null || username === undefined || nonce === undefined || response === undefined) return null;
  if (!/^[0-9a-f]{32}$/.test(response) || given.get('realm') !== DIGEST_REALM) return null;
  if (given.get('uri') !== request.target || (given.get('algorithm') ?? 'MD5').toUpperCase() !== 'MD5') return null;
  const qop = given.get('qop');
  if (qop === undefined) return { username, nonce, response, middle: '', count: 0 };
  const nc = given.get('nc');
  const cnonce = given.get('cnonce');
  if (qop.toLowerCase() !== 'auth' || nc === undefined || !/^[0-9a-f]{1,8}$/i.test(nc) || !cnonce) return null;
  return { username, nonce, response, middle: `${nc}:${cnonce}:${qop}:`, count: Number.parseInt(nc, 16) };
}

function responseFor(answer: Answer, request: DigestRequest, ha1: string): string {
  const ha2 = md5(`${request.method}:${request.target}`);
  return md5(`${ha1}:${answer.nonce}:${answer.middle}${ha2}`);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
