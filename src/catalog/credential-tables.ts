// Tables of who may ask: keys, accounts, people, their roles and what they hold for a while. As Kysely sees them, like tables.ts.
import type { ColumnType } from 'kysely';

type Defaulted<T> = ColumnType<T, T | undefined, T>;

export interface ApiKeysTable {
  id: string;
  orgId: string;
  publicKey: string;
  /** Null: only its HA1 is kept. */
  privateKeySealed: string | null;
  ha1Sealed: string;
  description: string;
  accessList: string[];
  createdAt: Date;
}

export interface ServiceAccountsTable {
  id: string;
  orgId: string;
  clientId: string;
  /** Null: never named. */
  name: string | null;
  description: string;
  accessList: string[];
  createdAt: Date;
}

export interface ServiceAccountSecretsTable {
  id: string;
  accountId: string;
  secretHash: string;
  masked: string;
  createdAt: Date;
  /** Null: never. */
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

export interface UsersTable {
  id: string;
  orgId: string;
  name: string;
  nameLower: string;
  passwordHash: string;
  failedLogins: Defaulted<number>;
  lockedUntil: Date | null;
  createdAt: Date;
}

export interface RoleGrantsTable {
  principalKind: string;
  principalId: string;
  role: string;
  orgId: string | null;
  projectId: string | null;
}

export interface SessionsTable {
  tokenHash: string;
  principalKind: string;
  principalId: string;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
}

export interface RevokedBearersTable { tokenId: string; expiresAt: Date }
export interface UsedNoncesTable { nonce: string; count: number; expiresAt: Date }
