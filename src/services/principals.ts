// From a stored credential or session owner to the principal that the doors know, with its grants of this moment.
import type { CatalogAggregates } from '../catalog/index.ts';
import type { Principal } from '../domain/roles.ts';

export type PrincipalSource = Pick<CatalogAggregates, 'apiKeys' | 'serviceAccounts' | 'users' | 'roleGrants'>;

/** Null when the owner is gone: its sessions and tokens die with it. */
export async function principalOf(catalog: PrincipalSource, kind: Principal['kind'], id: string): Promise<(Principal & { readonly accessList: readonly string[] }) | null> {
  switch (kind) {
    case 'apiKey': {
      const key = await catalog.apiKeys.get(id);
      return key === null ? null : withGrants(catalog, { kind, id, name: key.publicKey, orgId: key.orgId, accessList: key.accessList });
    }
    case 'serviceAccount': {
      const account = await catalog.serviceAccounts.get(id);
      return account === null ? null : withGrants(catalog, { kind, id, name: account.clientId, orgId: account.orgId, accessList: account.accessList });
    }
    case 'user': {
      const user = await catalog.users.get(id);
      return user === null ? null : withGrants(catalog, { kind, id, name: user.name, orgId: user.orgId, accessList: [] });
    }
  }
}

/** Adds the roles that the principal holds now. */
export async function withGrants<T extends Omit<Principal, 'grants'>>(catalog: Pick<CatalogAggregates, 'roleGrants'>, plain: T): Promise<T & Principal> {
  return { ...plain, grants: await catalog.roleGrants.of(plain.kind, plain.id) };
}

/** For people, in jobs and the audit: `apiKey abcdefgh`. */
export function nameOf(principal: Pick<Principal, 'kind' | 'name'>): string {
  return `${principal.kind} ${principal.name}`;
}
