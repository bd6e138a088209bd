// Users and roles, last of all: merged from the collections that were loaded for it.
import type { CompleteOptions } from './complete-restore.ts';
import { orWarn } from './or-warn.ts';

/** The collections hold neither the account in use nor its roles, so this can't lock Leafvault out. */
export async function mergeUsers(options: CompleteOptions): Promise<void> {
  const { target, plan, store } = options;
  const { auth } = plan;
  if (auth === null || auth.merged) return;
  await orWarn(options, 'Merging users and roles', () => target.admin({
    _mergeAuthzCollections: 1,
    ...(auth.users === null ? {} : { tempUsersCollection: `admin.${auth.users}` }),
    ...(auth.roles === null ? {} : { tempRolesCollection: `admin.${auth.roles}` }),
    db: '',
    drop: false,
    writeConcern: { w: 'majority' },
  }));
  auth.merged = true;
  await store.save(plan);
}
