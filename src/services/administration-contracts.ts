// What may be asked for around backups, as the doors see it: organizations, projects, clusters, credentials, events.
// Every method throws LeafvaultError with a code of services/errors.ts and takes no wire form.
import type { Cluster, Organization, Page, PageOf, Project, Tag } from '../domain/records.ts';
import type { Principal, RoleGrant } from '../domain/roles.ts';
import type { MemberState } from './backup-config-contracts.ts';

export interface Organizations {
  /** @throws ORGANIZATION_NOT_FOUND */
  get(id: string): Promise<Organization>;
}

export interface Projects {
  /**
   * Who may not do everything in the organization becomes owner of what he made; so does `ownerId`, a user of it.
   * @throws PROJECT_NAME_TAKEN, USER_NOT_FOUND, ORGANIZATION_NOT_FOUND, TEXT_NOT_STORABLE
   */
  create(request: {
    readonly orgId: string; readonly name: string; readonly tags: readonly Tag[]; readonly ownerId?: string | undefined; readonly principal: Principal;
  }): Promise<Project>;
  /** What is absent stays. @throws PROJECT_NAME_TAKEN, TEXT_NOT_STORABLE */
  change(project: Project, change: { readonly name?: string | undefined; readonly tags?: readonly Tag[] | undefined }): Promise<Project>;
  /** Its roles go with it; credentials of it stay in the organization. @throws PROJECT_HAS_CLUSTERS, PROJECT_HAS_SNAPSHOTS */
  delete(project: Project): Promise<void>;
}

/** What a server told when it was asked for the first time. */
export interface FoundServer {
  readonly topology: 'replicaSet' | 'standalone' | 'sharded';
  readonly replicaSetName: string | null;
  readonly version: string;
  /** Of a replica set, as far as the account may see them. */
  readonly members?: readonly { readonly host: string; readonly state: MemberState }[];
  /** What every snapshot needs and the account may not do; empty or absent where that was not asked. */
  readonly missing?: readonly string[];
}

export interface ClusterDetails {
  readonly tags?: readonly Tag[] | undefined;
  readonly labels?: readonly Tag[] | undefined;
  readonly terminationProtection?: boolean | undefined;
  readonly continuousBackup?: boolean | undefined;
}

export interface Clusters {
  /**
   * Connects before anything is kept. Without `scheduled` nothing is taken by itself.
   * @throws CLUSTER_NAME_TAKEN, CLUSTER_NAME_KEPT, CLUSTER_URI_INVALID, CLUSTER_UNREACHABLE (details {reason}), CLUSTER_UNFIT (details {reason})
   */
  register(request: ClusterDetails & { readonly project: Project; readonly name: string; readonly uri: string; readonly scheduled: boolean }): Promise<Cluster>;
  /** What is absent stays; another connection string is tried first. @throws as `register`, but for the name */
  change(cluster: Cluster, change: ClusterDetails & { readonly uri?: string | undefined }): Promise<Cluster>;
  /**
   * Nothing is taken of it any more, its connection string is forgotten. Its snapshots go too, unless `retainBackups`: then the whole ones
   * can be read and restored until they expire. Nothing on its servers is touched.
   * @throws CLUSTER_PROTECTED, CLUSTER_BUSY (a restore into it or from it runs)
   */
  delete(request: { readonly cluster: Cluster; readonly retainBackups: boolean; readonly principal: Principal }): Promise<void>;
  /** Deleted ones whose snapshots were kept, by name. */
  kept(projectId: string): Promise<readonly Cluster[]>;
  /** @throws CLUSTER_NOT_FOUND */
  keptByName(projectId: string, name: string): Promise<Cluster>;
  /** @throws CLUSTER_NOT_FOUND */
  keptById(projectId: string, id: string): Promise<Cluster>;
}

export type CredentialKind = 'apiKey' | 'serviceAccount';

/** Where a credential is looked at: in its organization, or in a project in which it holds a role. */
export interface CredentialPlace { readonly orgId: string; readonly projectId: string | null }

export interface CredentialSecret {
  readonly id: string;
  readonly masked: string;
  readonly createdAt: Date;
  /** Null: never. */
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface Credential {
  readonly kind: CredentialKind;
  readonly id: string;
  readonly orgId: string;
  /** Public key or client id. */
  readonly publicName: string;
  readonly name: string;
  readonly description: string;
  /** Empty: from anywhere, or, where entries were removed, from nowhere. */
  readonly accessList: readonly string[];
  readonly createdAt: Date;
  readonly grants: readonly RoleGrant[];
  /** Of service accounts, oldest first. */
  readonly secrets: readonly CredentialSecret[];
}

interface At {
  readonly kind: CredentialKind;
  readonly place: CredentialPlace;
  /** Id of an API key, client id of a service account. */
  readonly reference: string;
}

/** Nobody gives roles that he lacks, and nobody changes a credential that may do more than he: GRANT_TOO_WIDE, details {roles}. */
export interface Credentials {
  list(kind: CredentialKind, place: CredentialPlace, page: Page): Promise<PageOf<Credential>>;
  /** @throws CREDENTIAL_NOT_FOUND, details {kind, reference} */
  get(at: At): Promise<Credential>;
  /** The secret is told here and never again. @throws ROLE_UNFIT, details {role}; GRANT_TOO_WIDE, SECRET_LIFE_INVALID, TEXT_NOT_STORABLE */
  create(request: {
    readonly kind: CredentialKind; readonly place: CredentialPlace; readonly name?: string; readonly description: string; readonly roles: readonly string[];
    /** Of a service account. */
    readonly secretHours?: number; readonly principal: Principal;
  }): Promise<{ readonly credential: Credential; readonly secret: string }>;
  /** `roles` replace those held at the place. @throws CREDENTIAL_NOT_FOUND, ROLE_UNFIT, GRANT_TOO_WIDE, LAST_OWNER, TEXT_NOT_STORABLE */
  change(request: At & { readonly name?: string | undefined; readonly description?: string | undefined; readonly roles?: readonly string[] | undefined; readonly principal: Principal }): Promise<Credential>;
  /** Adds roles in a project to a credential of its organization. @throws as `change` */
  assign(request: { readonly kind: CredentialKind; readonly project: Project; readonly reference: string; readonly roles: readonly string[]; readonly principal: Principal }): Promise<Credential>;
  /** From the organization: it is gone, and proves nothing from now on. From a project: it loses its roles there. @throws CREDENTIAL_NOT_FOUND, GRANT_TOO_WIDE, LAST_OWNER */
  delete(request: At & { readonly principal: Principal }): Promise<void>;
  /** @throws CREDENTIAL_NOT_FOUND, ACCESS_ENTRY_INVALID, ACCESS_LIST_FULL, GRANT_TOO_WIDE */
  allow(request: At & { readonly entries: readonly string[]; readonly principal: Principal }): Promise<Credential>;
  /**
   * Once the last entry is removed the credential is good from nowhere, until there is another one.
   * @param request.address from where it is asked
   * @throws CREDENTIAL_NOT_FOUND, ACCESS_ENTRY_NOT_FOUND, ACCESS_ENTRY_OWN, GRANT_TOO_WIDE
   */
  disallow(request: At & { readonly entry: string; readonly principal: Principal; readonly address: string }): Promise<void>;
  /** Of a service account; told here and never again. @throws CREDENTIAL_NOT_FOUND, SECRETS_TOO_MANY, SECRET_LIFE_INVALID, GRANT_TOO_WIDE */
  addSecret(request: { readonly place: CredentialPlace; readonly reference: string; readonly hours: number; readonly principal: Principal }): Promise<{ readonly secret: CredentialSecret; readonly value: string }>;
  /** @throws CREDENTIAL_NOT_FOUND, SECRET_NOT_FOUND, GRANT_TOO_WIDE */
  deleteSecret(request: { readonly place: CredentialPlace; readonly reference: string; readonly secretId: string; readonly principal: Principal }): Promise<void>;
}

/** A change that was asked for and done. */
export interface ChangeEvent {
  /** 24 hex digits that count up. */
  readonly id: string;
  readonly at: Date;
  readonly principalKind: Principal['kind'] | null;
  readonly principalId: string | null;
  readonly principalName: string | null;
  /** Door, method and path: `atlas-v2 POST /groups/:groupId/clusters`. */
  readonly action: string;
  readonly projectId: string | null;
  readonly orgId: string | null;
  readonly address: string;
  readonly clusterName: string | null;
  /** It was begun, and is not answered yet or never was: whether it was done has to be looked at. */
  readonly outcomeUnknown: boolean;
}

export interface ChangeFilter {
  readonly orgId: string;
  /** Absent: of the organization and all its projects. */
  readonly projectId?: string | undefined;
  /** Of what was done in projects, that in these alone; absent: in all. */
  readonly inProjects?: readonly string[] | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly exceptActions?: readonly string[] | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

export interface ChangeEvents {
  /** Newest first. */
  list(filter: ChangeFilter, page: Page): Promise<PageOf<ChangeEvent>>;
  /** @throws EVENT_NOT_FOUND */
  get(where: Pick<ChangeFilter, 'orgId' | 'projectId' | 'inProjects'>, id: string): Promise<ChangeEvent>;
}

export interface Administration {
  readonly organizations: Organizations;
  readonly projects: Projects;
  readonly clusters: Clusters;
  readonly credentials: Credentials;
  readonly events: ChangeEvents;
}
