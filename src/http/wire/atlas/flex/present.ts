// A restore in the flex form: that of the shared tier, its source by another name, without links as recorded.
import type { ListedRestore } from '../../../../domain/records.ts';
import { presentTenantRestore } from '../tenant/present.ts';

export function presentFlexRestore(restore: ListedRestore): object {
  return { ...presentTenantRestore(restore, ''), clusterName: undefined, instanceName: restore.clusterName, links: undefined };
}
