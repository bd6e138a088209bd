// From a request to who is asking, by the schemes that a facade knows. Runs before the body is read.
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../domain/roles.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { Identity } from '../../services/contracts.ts';
import type { AuthFailure, AuthScheme, Facade } from '../facade.ts';
import { isAddressAllowed, plainAddress } from '../../foundation/access-list.ts';
import { digestChallenge, verifyDigest } from './digest.ts';
import { bearerToken, sessionToken } from './tokens.ts';

export type AuthOutcome =
  | { readonly ok: true; readonly principal: Principal; readonly sessionToken: string | null }
  | { readonly ok: false; readonly failure: AuthFailure };

type Proof =
  | { readonly ok: true; readonly principal: Principal; readonly accessList: readonly string[]; readonly token: string | null }
  | { readonly ok: false; readonly reason: 'invalid' | 'stale' | 'expired' };

export interface AuthenticateOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly facade: Pick<Facade, 'schemes' | 'accessList'>;
}

/** Never throws for wrong credentials; throws when the catalog cannot be asked. */
export async function authenticate(request: FastifyRequest, options: AuthenticateOptions): Promise<AuthOutcome> {
  for (const scheme of options.facade.schemes) {
    const proof = await PROVERS[scheme](request, options);
    if (proof === null) continue;
    if (!proof.ok) return refuse(options, proof.reason, scheme);
    if (!countsHere(request, options.facade) || isAddressAllowed(proof.accessList, request.ip)) {
      return { ok: true, principal: proof.principal, sessionToken: proof.token };
    }
    return { ok: false, failure: { kind: 'addressRefused', address: plainAddress(request.ip), principal: proof.principal } };
  }
  return refuse(options, 'missing', null);
}

/** Null: no credentials of this scheme on the request. */
const PROVERS: Readonly<Record<AuthScheme, (request: FastifyRequest, options: AuthenticateOptions) => Promise<Proof | null>>> = {
  async digest(request, { identity, clock }) {
    const header = request.headers.authorization;
    if (header === undefined || !/^digest[ \t]/i.test(header)) return null;
    const outcome = await verifyDigest(identity, clock, { method: request.method, target: request.originalUrl, header });
    return outcome.ok ? { ...outcome, token: null } : outcome;
  },
  async bearer(request, { identity }) {
    const token = bearerToken(request.headers);
    if (token === null) return null;
    const found = await identity.readBearer(token);
    return found === null ? { ok: false, reason: 'expired' } : { ok: true, ...found, token };
  },
  async authtoken(request, { identity }) {
    const token = sessionToken(request.headers);
    if (token === null) return null;
    const principal = await identity.readSession(token);
    return principal === null ? { ok: false, reason: 'expired' } : { ok: true, principal, accessList: [], token };
  },
};

function countsHere(request: FastifyRequest, facade: Pick<Facade, 'accessList'>): boolean {
  return facade.accessList === 'always' || (request.method !== 'GET' && request.method !== 'HEAD');
}

function refuse(options: AuthenticateOptions, reason: 'missing' | 'invalid' | 'stale' | 'expired', scheme: AuthScheme | null): AuthOutcome {
  const { identity, clock, facade } = options;
  const headers: Record<string, string> = facade.schemes.includes('digest')
    ? { 'www-authenticate': digestChallenge(identity, clock, reason === 'stale') }
    : {};
  return { ok: false, failure: { kind: 'unauthenticated', reason, scheme, headers } };
}
