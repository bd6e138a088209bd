// What a user may ask about whether a cluster is backed up, and about the servers it is made of. Handed on by contracts.ts.
import type { BackupState } from '../domain/backup-state.ts';
import type { NamespaceFilter } from '../domain/namespace-selection.ts';
import type { Cluster } from '../domain/records.ts';
import type { Principal } from '../domain/roles.ts';

export interface BackupConfig {
  readonly cluster: Cluster;
  /** As it is shown: `inactive` also where nothing would be taken. */
  readonly state: BackupState;
  readonly filter: NamespaceFilter | null;
  /** Of the connection string: how it logs in, and whether by TLS. Null: there is no connection string. */
  readonly connection: { readonly mechanism: string | null; readonly tls: boolean } | null;
}

export interface BackupConfigs {
  get(cluster: Cluster): Promise<BackupConfig>;
  /** That alone of it, as it is shown. */
  stateOf(cluster: Cluster): Promise<BackupState>;
  /** @throws BACKUP_STATE_INVALID where a change to this state would be refused now */
  requireStep(cluster: Cluster, to: 'started' | 'stopped' | 'terminating'): Promise<void>;
  /**
   * What is absent stays. Terminating deletes the snapshots of the cluster before it answers, but for those that a pin or a hold keeps; asked for again it goes on.
   * @throws BACKUP_STATE_INVALID details {from, to, name}; SELECTION_INVALID, COMPLIANCE_PROTECTED, CLUSTER_NOT_FOUND where it was just deleted
   */
  change(request: {
    readonly cluster: Cluster; readonly principal: Principal; readonly state?: 'started' | 'stopped' | 'terminating' | undefined;
    /** Null: everything is taken. */
    readonly filter?: NamespaceFilter | null | undefined;
  }): Promise<BackupConfig>;
}

/** In the words of the server; `UNKNOWN`: it was not reached. */
export type MemberState = 'PRIMARY' | 'SECONDARY' | 'ARBITER' | 'STANDALONE' | 'UNKNOWN';

export interface Host {
  /** Of the cluster and the name: the same for ever. */
  readonly id: string;
  readonly cluster: Cluster;
  readonly hostname: string;
  readonly port: number;
  readonly state: MemberState;
  /** As the server says, or said at the last contact; null: of none. */
  readonly replicaSetName: string | null;
  /** Of the server that answered; null where none did. */
  readonly version: string | null;
  readonly seenAt: Date | null;
}

export interface Hosts {
  /** As they were last known, nobody asked: state `UNKNOWN`. */
  known(cluster: Cluster): readonly Host[];
  /** Asks the cluster now; where it does not answer, the hosts are those of its connection string. Never fails for that. */
  ofCluster(cluster: Cluster): Promise<readonly Host[]>;
}
