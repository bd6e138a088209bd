// The dates of each operation of Atlas: a client of v2 names a date and gets the newest not later.
import type { Operation } from '../../mms-routes.ts';

export interface Version {
  readonly date: string;
  /** Day of the version, or of the resource, that replaced this one. */
  readonly deprecatedSince?: string;
  /** Day on which the vendor turns it off. Leafvault goes on answering. */
  readonly sunset?: string;
}

/** Oldest first. */
export type Versions = readonly [Version, ...Version[]];

/** A line of the table. */
export type VersionedOperation = Operation & { readonly versions: Versions };

export const CLOUD_BACKUP: Versions = [{ date: '2023-01-01' }];
export const SCHEDULE: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-08-05', sunset: '2027-07-01' }, { date: '2024-08-05' }];
export const COMPLIANCE: Versions = [{ date: '2023-01-01', deprecatedSince: '2023-10-01', sunset: '2027-07-01' }, { date: '2023-10-01' }];
export const COMPLIANCE_REMOVAL: Versions = [{ date: '2024-11-13' }];
export const EXPORT_BUCKETS: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-05-30', sunset: '2027-07-01' }, { date: '2024-05-30' }];
export const EXPORT_BUCKET_CHANGE: Versions = [{ date: '2024-05-30' }];
export const COLLECTION_RESTORES: Versions = [{ date: '2025-03-12' }];
export const GROUPS: Versions = [{ date: '2023-01-01' }];
/** Replaced by the flex endpoints. */
export const TENANT: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-11-13', sunset: '2026-01-22' }];
export const CLUSTERS: Versions = [
  { date: '2023-01-01', deprecatedSince: '2023-02-01', sunset: '2027-07-01' },
  { date: '2023-02-01', deprecatedSince: '2024-08-05', sunset: '2027-07-01' },
  { date: '2024-08-05' },
];
/** Replaced by the flex endpoints, too. */
export const SERVERLESS_BACKUP: Versions = TENANT;
export const SERVERLESS: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-11-13', sunset: '2027-01-18' }];
/** Since this day clusters can be made with another default; what is answered is the same. */
export const CLUSTER_WRITES: Versions = [
  { date: '2023-01-01', deprecatedSince: '2023-02-01', sunset: '2027-07-01' },
  { date: '2023-02-01', deprecatedSince: '2024-08-05', sunset: '2027-07-01' },
  { date: '2024-08-05', deprecatedSince: '2024-10-23', sunset: '2027-03-01' },
  { date: '2024-10-23' },
];
export const CLUSTER_DELETE: Versions = [{ date: '2023-01-01', deprecatedSince: '2023-02-01', sunset: '2027-07-01' }, { date: '2023-02-01' }];
export const SERVICE_ACCOUNTS: Versions = [{ date: '2024-08-05' }];
export const RATE_LIMITS: Versions = [{ date: '2025-03-12' }];
export const PROCESS_ARGS: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-08-05' }, { date: '2024-08-05' }];
export const FLEX: Versions = [{ date: '2024-11-13' }];
