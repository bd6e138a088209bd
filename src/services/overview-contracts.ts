// Numbers over everything, for metrics.
import type { BackupState } from '../domain/backup-state.ts';
import type { Cluster, Job } from '../domain/records.ts';
import type { ClusterRecovery, ContinuousState } from './contracts.ts';
import type { CheckOverview, CopyOverview, LockOverview } from './upkeep-contracts.ts';

export interface ClusterOverview {
  readonly cluster: Cluster;
  readonly projectName: string;
  /** As it is shown: `inactive` also where nothing would be taken. */
  readonly backupState: BackupState;
  /** Completed and not deleted. */
  readonly snapshots: number;
  /** Bytes that they added to the repository; null without one. */
  readonly storageSizeBytes: number | null;
  /** Raw bytes of the newest one of what is taken of the cluster by itself now; null without one. */
  readonly dataSizeBytes: number | null;
  /** The newest instant that can be restored, of a snapshot or between two. */
  readonly recoveryPointAt: Date | null;
  /** Null where continuous backup is off and never was on. */
  readonly continuous: ClusterContinuous | null;
  readonly recovery?: Pick<ClusterRecovery, 'lastDrill' | 'lastProven' | 'expected'>;
}

export interface ClusterContinuous {
  readonly state: ContinuousState;
  readonly lagSeconds: number | null;
  readonly headroomSeconds: number | null;
  /** Of all chains of the cluster. */
  readonly slices: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
}

/** Numbers over everything, for metrics; not for the doors of the APIs. */
export interface Overview {
  read(): Promise<{
    readonly clusters: readonly ClusterOverview[];
    readonly jobs: readonly { readonly kind: Job['kind']; readonly state: Job['state']; readonly count: number }[];
    /** Of the checks that run by themselves; null before the first was planned. */
    readonly check?: CheckOverview | null;
    /** Second copies of the repository, in the order of the setting. */
    readonly copies?: readonly CopyOverview[];
    /** How its objects are held; null where they are not, or no worker has looked yet. */
    readonly locks?: LockOverview | null;
  }>;
}
