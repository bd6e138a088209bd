// OAuth access tokens: signed JWTs that live an hour. What a token may do is looked up at each use, so a role that
// was taken away or an account that is gone counts at once; a revoked token is known by its id.
import { jwtVerify, SignJWT, errors } from 'jose';
import { randomUUID } from 'node:crypto';
import type { CatalogAggregates } from '../catalog/index.ts';
import type { Principal } from '../domain/roles.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Identity } from './contracts.ts';
import { principalOf, type PrincipalSource } from './principals.ts';

/** What Atlas gives; Terraform's provider asks anew for anything that has less than 10 minutes left. */
export const BEARER_SECONDS = 3600;
const ALGORITHM = 'HS256';
const ISSUER = 'leafvault';

interface Claims { readonly tokenId: string; readonly kind: Principal['kind']; readonly principalId: string; readonly expiresAt: Date }

export function createBearerTokens(
  { catalog, clock, key }: { readonly catalog: PrincipalSource & Pick<CatalogAggregates, 'sessions'>; readonly clock: Clock; readonly key: Buffer },
): Pick<Identity, 'issueBearer' | 'readBearer' | 'revokeBearer'> {
  return {
    async issueBearer(principal) {
      const seconds = Math.floor(clock.now().getTime() / 1000);
      const token = await new SignJWT({ kind: principal.kind })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(ISSUER).setSubject(principal.id).setJti(randomUUID())
        .setIssuedAt(seconds).setExpirationTime(seconds + BEARER_SECONDS)
        .sign(key);
      return { token, expiresInSeconds: BEARER_SECONDS };
    },
    async readBearer(token) {
      const claims = await readClaims(token, key, clock);
      if (claims === null || (await catalog.sessions.isBearerRevoked(claims.tokenId))) return null;
      const found = await principalOf(catalog, claims.kind, claims.principalId);
      if (found === null) return null;
      const { accessList, ...principal } = found;
      return { principal, accessList };
    },
    async revokeBearer(token) {
      const claims = await readClaims(token, key, clock);
      // One that is not ours or over needs no revocation (RFC 7009).
      if (claims !== null) await catalog.sessions.revokeBearer(claims.tokenId, claims.expiresAt);
    },
  };
}

async function readClaims(token: string, key: Buffer, clock: Clock): Promise<Claims | null> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [ALGORITHM], issuer: ISSUER, currentDate: clock.now(), requiredClaims: ['sub', 'jti', 'exp', 'kind'],
    });
    const { jti = '', sub = '', exp = 0, kind } = payload;
    return { tokenId: jti, principalId: sub, kind: kind as Principal['kind'], expiresAt: new Date(exp * 1000) };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null;
    throw error;
  }
}
