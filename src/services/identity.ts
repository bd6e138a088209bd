// Proven credentials to principals: API keys, service accounts, users, sessions. The rule for lockouts lives here.
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { CatalogAggregates } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { createBearerTokens } from './bearer-tokens.ts';
import type { Identity } from './contracts.ts';
import { principalOf, withGrants, type PrincipalSource } from './principals.ts';
import { nameToFind } from './storable.ts';

/** Wrong passwords in a row before a user is locked out. */
export const LOGIN_TRIES = 5;
export const LOCK_SECONDS = 300;
/** Of inactivity, as Commvault's login. */
export const SESSION_IDLE_SECONDS = 30 * 60;
/** An id that no row has. */
const NOBODY = '0'.repeat(24);
/** scrypt runs on the thread pool that captures and restores need too: so many at once, the others wait. */
const HASHES_AT_ONCE = 2;

export interface IdentityOptions {
  readonly catalog: PrincipalSource & Pick<CatalogAggregates, 'sessions'>;
  readonly clock: Clock;
  /** 32 bytes; signing keys are derived from it. */
  readonly secret: Uint8Array;
}

export function createIdentity({ catalog, clock, secret }: IdentityOptions): Identity {
  const signingKey = signingKeys(secret);
  const oneOfFew = limiter(HASHES_AT_ONCE);
  return {
    ...createBearerTokens({ catalog, clock, key: signingKey('bearer') }),
    signingKey,
    async apiKey(publicKey) {
      const key = await catalog.apiKeys.byPublicKey(nameToFind(publicKey));
      // The same questions for an unknown key: how long an answer takes must not tell which keys there are.
      const principal = await withGrants(catalog, { kind: 'apiKey', id: key?.id ?? NOBODY, name: publicKey, orgId: key?.orgId ?? NOBODY });
      return key === null ? null : { ha1: key.ha1, principal, accessList: key.accessList };
    },
    takeNonceCount: (nonce, count, expiresAt) => catalog.sessions.takeNonceCount(nonce, count, expiresAt),
    async serviceAccount(clientId, clientSecret) {
      const account = await oneOfFew(() => catalog.serviceAccounts.verify(nameToFind(clientId), clientSecret));
      if (account === null) return null;
      return { principal: await withGrants(catalog, { kind: 'serviceAccount', id: account.id, name: account.clientId, orgId: account.orgId }) };
    },
    login: (name, password) => oneOfFew(() => login({ catalog, clock }, name, password)),
    async openSession(principal) {
      const token = randomBytes(32).toString('hex');
      await catalog.sessions.open(hashOf(token), { kind: principal.kind, id: principal.id }, SESSION_IDLE_SECONDS);
      return token;
    },
    async readSession(token) {
      const owner = await catalog.sessions.touch(hashOf(token), SESSION_IDLE_SECONDS);
      if (owner === null) return null;
      const found = await principalOf(catalog, owner.kind, owner.id);
      if (found === null) return null;
      const { accessList: _, ...principal } = found;
      return principal;
    },
    closeSession: (token) => catalog.sessions.close(hashOf(token)),
  };
}

async function login({ catalog, clock }: Omit<IdentityOptions, 'secret'>, name: string, password: string): ReturnType<Identity['login']> {
  const user = await catalog.users.byName(nameToFind(name));
  const locked = lockOf(user, clock);
  if (locked !== null) return locked;
  if (!(await catalog.users.verifyPassword(user?.id ?? null, password)) || user === null) {
    const after = user === null ? null : await catalog.users.recordFailure(user.id, { limit: LOGIN_TRIES, lockSeconds: LOCK_SECONDS });
    return lockOf(after, clock);
  }
  // Many guesses sent at once pass the first look together: the lock that the wrong ones brought counts for the right one too.
  const lockedMeanwhile = lockOf(await catalog.users.get(user.id), clock);
  if (lockedMeanwhile !== null) return lockedMeanwhile;
  await catalog.users.recordSuccess(user.id);
  return { principal: await withGrants(catalog, { kind: 'user', id: user.id, name: user.name, orgId: user.orgId }) };
}

function lockOf(user: { readonly lockedUntil: Date | null } | null, clock: Clock): { readonly lockedSeconds: number } | null {
  const leftMs = (user?.lockedUntil?.getTime() ?? 0) - clock.now().getTime();
  return leftMs > 0 ? { lockedSeconds: Math.ceil(leftMs / 1000) } : null;
}

function signingKeys(secret: Uint8Array): Identity['signingKey'] {
  const made = new Map<string, Buffer>();
  return (purpose) => {
    const known = made.get(purpose) ?? Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `leafvault ${purpose} v1`, 32));
    made.set(purpose, known);
    return known;
  };
}

/** A session token has 256 random bits: a fast hash keeps it as safe as a slow one. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function limiter(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((resolve) => { waiting.push(resolve); });
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
