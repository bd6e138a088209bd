// What an account may do, looked up in what `connectionStatus` says of it.
import type { Document } from 'mongodb';
import { RESTORE_ACTIONS, USER_ACTIONS } from '../../mongo/roles.ts';

export interface Account {
  /** `db.user` of who is logged in; empty when nobody is. */
  readonly users: readonly string[];
  /** `db.role` of every role held, inherited ones included. */
  readonly roles: readonly string[];
  /** Null: nobody is logged in, so there is nothing to look up. */
  readonly privileges: readonly Privilege[] | null;
}

interface Privilege {
  readonly resource: { readonly cluster?: boolean; readonly anyResource?: boolean; readonly db?: string; readonly collection?: string; readonly system_buckets?: string };
  readonly actions: readonly string[];
}

/** The resource that an action is asked for. */
export type Resource = { readonly cluster: true } | { readonly db: string; readonly collection: string } | { readonly db: string; readonly buckets: string };

/** From the answer to `{connectionStatus: 1, showPrivileges: true}`. */
export function readAccount(status: Document): Account {
  const info = status.authInfo as { authenticatedUsers?: Document[]; authenticatedUserRoles?: Document[]; authenticatedUserPrivileges?: Privilege[] };
  const users = (info.authenticatedUsers ?? []).map(({ user, db }) => `${db}.${user}`);
  return {
    users,
    roles: (info.authenticatedUserRoles ?? []).map(({ role, db }) => `${db}.${role}`),
    privileges: users.length === 0 ? null : (info.authenticatedUserPrivileges ?? []),
  };
}

/** What a restore into these places needs and the account lacks, each in words. */
export function missingPrivileges(account: Account, needs: { readonly databases: readonly string[]; readonly scripts: readonly string[]; readonly timeSeries: readonly string[]; readonly users: boolean; /** Databases that are dropped whole. */ readonly emptied: readonly string[] }): string[] {
  const { privileges } = account;
  if (privileges === null) return [];
  const missing: string[] = [];
  const need = (actions: readonly string[], resource: Resource, words: string): void => {
    const lacking = actions.filter((action) => !allows(privileges, action, resource));
    if (lacking.length > 0) missing.push(`the account lacks ${lacking.join(', ')} on ${words}`);
  };
  need(['listDatabases', 'applyOps', 'useUUID'], { cluster: true }, 'the cluster');
  for (const db of needs.databases) need([...RESTORE_ACTIONS, 'dbStats'], { db, collection: 'any' }, `the database ${db}`);
  for (const db of needs.scripts) need(RESTORE_ACTIONS, { db, collection: 'system.js' }, `${db}.system.js`);
  for (const db of needs.timeSeries) need(RESTORE_ACTIONS, { db, buckets: 'any' }, `the buckets of time series in ${db}`);
  for (const db of needs.emptied) need(['dropDatabase'], { db, collection: 'any' }, `the database ${db}`);
  if (needs.users) need(USER_ACTIONS, { db: 'admin', collection: 'any' }, 'users and roles');
  return missing;
}

function allows(privileges: readonly Privilege[], action: string, resource: Resource): boolean {
  return privileges.some((privilege) => covers(privilege.resource, resource) && (privilege.actions.includes(action) || privilege.actions.includes('anyAction')));
}

function covers(held: Privilege['resource'], asked: Resource): boolean {
  if (held.anyResource === true) return true;
  if ('cluster' in asked) return held.cluster === true;
  // The server leaves out `db` where it was granted as empty beside `system_buckets`.
  if (held.cluster === true || ((held.db ?? '') !== '' && held.db !== asked.db)) return false;
  if ('buckets' in asked) return held.system_buckets !== undefined && (held.system_buckets === '' || held.system_buckets === asked.buckets);
  if (held.collection === undefined) return false;
  // The empty name stands for every collection but those of the system.
  return held.collection === asked.collection || (held.collection === '' && !asked.collection.startsWith('system.'));
}
