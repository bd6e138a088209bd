// What expires by itself: login sessions, revoked bearer tokens, used pairs of nonce and count.
import type { Principal } from '../domain/roles.ts';
import type { CatalogContext } from './context.ts';

export interface SessionOwner { readonly kind: Principal['kind']; readonly id: string }

export interface Sessions {
  /** `tokenHash`: the token itself is never stored. Ends after `idleSeconds` without a `touch`. */
  open(tokenHash: string, owner: SessionOwner, idleSeconds: number): Promise<void>;
  /** Whose session it is, and its end moved on; null when unknown or over. */
  touch(tokenHash: string, idleSeconds: number): Promise<SessionOwner | null>;
  close(tokenHash: string): Promise<void>;
  /** `tokenId`: the token's own id (jti). Kept until the token would have died anyway. */
  revokeBearer(tokenId: string, expiresAt: Date): Promise<void>;
  isBearerRevoked(tokenId: string): Promise<boolean>;
  /** True exactly once for each pair, over all processes. */
  takeNonceCount(nonce: string, count: number, expiresAt: Date): Promise<boolean>;
  /** Deletes what is over; returns how many rows went. Call it every few minutes. */
  sweep(): Promise<number>;
}

export function createSessions({ db, clock }: CatalogContext): Sessions {
  const idleEnd = (idleSeconds: number): Date => new Date(clock.now().getTime() + idleSeconds * 1000);
  return {
    async open(tokenHash, owner, idleSeconds) {
      const now = clock.now();
      await db
        .insertInto('sessions')
        .values({
          tokenHash, principalKind: owner.kind, principalId: owner.id, createdAt: now, lastUsedAt: now, expiresAt: idleEnd(idleSeconds),
        })
        .execute();
    },
    async touch(tokenHash, idleSeconds) {
      const now = clock.now();
      const row = await db
        .updateTable('sessions')
        .set({ lastUsedAt: now, expiresAt: idleEnd(idleSeconds) })
        .where('tokenHash', '=', tokenHash).where('expiresAt', '>', now)
        .returning(['principalKind', 'principalId'])
        .executeTakeFirst();
      return row === undefined ? null : { kind: row.principalKind as Principal['kind'], id: row.principalId };
    },
    async close(tokenHash) {
      await db.deleteFrom('sessions').where('tokenHash', '=', tokenHash).execute();
    },
    async revokeBearer(tokenId, expiresAt) {
      await db.insertInto('revokedBearers').values({ tokenId, expiresAt }).onConflict((conflict) => conflict.doNothing()).execute();
    },
    async isBearerRevoked(tokenId) {
      return (await db.selectFrom('revokedBearers').select('tokenId').where('tokenId', '=', tokenId).executeTakeFirst()) !== undefined;
    },
    async takeNonceCount(nonce, count, expiresAt) {
      const row = await db
        .insertInto('usedNonces').values({ nonce, count, expiresAt })
        .onConflict((conflict) => conflict.doNothing())
        .returning('nonce').executeTakeFirst();
      return row !== undefined;
    },
    async sweep() {
      const now = clock.now();
      let gone = 0;
      for (const table of ['sessions', 'revokedBearers', 'usedNonces'] as const) {
        const { numDeletedRows } = await db.deleteFrom(table).where('expiresAt', '<', now).executeTakeFirst();
        gone += Number(numDeletedRows);
      }
      return gone;
    },
  };
}
