// The backup schedule in Atlas's two forms, with the members that were recorded.
import type { SnapshotSchedule } from '../../../../domain/schedule.ts';
import type { Cluster } from '../../../../domain/records.ts';
import type { ClusterSchedule } from '../../../../services/contracts.ts';
import { isoSecondsOrUnset } from '../../time-text.ts';
import { ATLAS_FORM, ZONES_VERSION } from './parse.ts';

/** Always exactly one policy: the Terraform provider reads the first without asking. */
export function presentSchedule(schedule: ClusterSchedule, { id, name, projectId }: Cluster, { root, origin, version }: { readonly root: string; readonly origin: string; readonly version: string }): object {
  const kept = schedule.forms[ATLAS_FORM] ?? {};
  return {
    autoCopySettingsEnabled: version >= ZONES_VERSION ? false : undefined,
    autoExportEnabled: schedule.export?.isEnabled ?? false,
    clusterId: id,
    clusterName: name,
    copyPolicyItemsEnabled: kept['copyPolicyItemsEnabled'] === true,
    copySettings: [],
    export: schedule.export === null ? undefined : { exportBucketId: schedule.export.bucketId, frequencyType: schedule.export.frequencyType },
    extraRetentionSettings: extraRetention(schedule),
    links: [
      { rel: 'self', href: `${root}/groups/${projectId}/clusters/${encodeURIComponent(name)}/backup/schedule` },
      { rel: 'https://cloud.mongodb.com/group', href: `${origin}/api/public/v1.0/groups/${projectId}` },
    ],
    nextSnapshot: isoSecondsOrUnset(schedule.nextSnapshotAt),
    policies: [{
      id: schedule.policyId,
      policyItems: schedule.items.map(({ id: itemId, frequencyInterval, frequencyType, retentionUnit, retentionValue }) => ({ id: itemId, frequencyInterval, frequencyType, retentionUnit, retentionValue })),
    }],
    referenceHourOfDay: schedule.referenceHour,
    referenceMinuteOfHour: schedule.referenceMinute,
    restoreWindowDays: schedule.restoreWindowDays,
    useOrgAndGroupNamesInExportPrefix: kept['useOrgAndGroupNamesInExportPrefix'] === true,
  };
}

function extraRetention({ extraDays }: SnapshotSchedule): readonly object[] {
  return Object.entries(extraDays).map(([frequency, retentionDays]) => ({ frequencyType: frequency === 'ondemand' ? 'ON_DEMAND' : frequency.toUpperCase(), retentionDays }));
}
