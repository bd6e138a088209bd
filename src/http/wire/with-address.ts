// Who is told where a prepared download can be fetched: the address alone lets anybody have the data.
import type { ListedRestore } from '../../domain/records.ts';
import { projectRolesOf, type ProjectRole } from '../../domain/roles.ts';
import type { ProjectCall } from './mms-routes.ts';

/** Those who could have asked for the download themselves; roles that include one of these count. */
const FETCHERS: readonly ProjectRole[] = ['GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR'];

/** The restore as it is, or without its address and what opens it. */
export function withAddressFor<T extends ListedRestore>({ principal, project }: Pick<ProjectCall, 'principal' | 'project'>, restore: T): T {
  if (restore.download === null) return restore;
  const held = projectRolesOf(principal, project);
  if (FETCHERS.some((role) => held.has(role))) return restore;
  const { bearer: _, ...facts } = restore.download;
  return { ...restore, download: { ...facts, url: null } };
}
