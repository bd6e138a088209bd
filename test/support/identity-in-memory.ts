// The identity port in memory, for tests of the doors: API keys, a service account, sessions, used nonces.
import { createHash, randomBytes } from 'node:crypto';
import type { Principal } from '../../src/domain/roles.ts';
import type { Identity } from '../../src/services/contracts.ts';

export interface InMemoryIdentity extends Identity {
  readonly keys: Map<string, { readonly privateKey: string; readonly accessList: readonly string[] }>;
  readonly bearers: Map<string, { readonly principal: Principal; readonly accessList: readonly string[] }>;
  readonly sessions: Map<string, Principal>;
  /** `nonce/count` of every pair that was taken. */
  readonly taken: Set<string>;
}

export const OWNER: Principal = {
  kind: 'apiKey', id: '5f0000000000000000000009', name: 'abcdefgh', orgId: '5f0000000000000000000001',
  grants: [{ role: 'ORG_OWNER', orgId: '5f0000000000000000000001' }],
};

export function identityInMemory(): InMemoryIdentity {
  const keys: InMemoryIdentity['keys'] = new Map([['abcdefgh', { privateKey: '00000000-0000-4000-8000-000000000000', accessList: [] }]]);
  const bearers: InMemoryIdentity['bearers'] = new Map();
  const sessions: InMemoryIdentity['sessions'] = new Map();
  const taken = new Set<string>();
  const secret = randomBytes(32);
  return {
    keys, bearers, sessions, taken,
    async apiKey(publicKey) {
      const key = keys.get(publicKey);
      if (key === undefined) return null;
      const ha1 = createHash('md5').update(`${publicKey}:MMS Public API:${key.privateKey}`).digest('hex');
      return { ha1, principal: { ...OWNER, name: publicKey }, accessList: key.accessList };
    },
    async takeNonceCount(nonce, count) {
      const pair = `${nonce}/${count}`;
      return taken.has(pair) ? false : Boolean(taken.add(pair));
    },
    signingKey: (purpose) => createHash('sha256').update(secret).update(purpose).digest(),
    async serviceAccount(clientId, clientSecret) {
      const right = clientId === 'mdb_sa_id_5f0000000000000000000002' && clientSecret === 'mdb_sa_sk_example';
      return right ? { principal: { ...OWNER, kind: 'serviceAccount', name: clientId } } : null;
    },
    async issueBearer(principal) {
      const token = randomBytes(16).toString('hex');
      bearers.set(token, { principal, accessList: [] });
      return { token, expiresInSeconds: 3600 };
    },
    readBearer: async (token) => bearers.get(token) ?? null,
    async revokeBearer(token) { bearers.delete(token); },
    async login(name, password) {
      return name === 'admin' && password === 'change-me' ? { principal: { ...OWNER, kind: 'user', name } } : null;
    },
    async openSession(principal) {
      const token = randomBytes(24).toString('hex');
      sessions.set(token, principal);
      return token;
    },
    readSession: async (token) => sessions.get(token) ?? null,
    async closeSession(token) { sessions.delete(token); },
  };
}
