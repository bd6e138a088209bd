// The levels of the tree as the SDK reads them; what it can't do without is named in its own tests and ours.
import type { Project } from '../../../../domain/records.ts';
import type { Subclient } from '../../../../services/contracts.ts';
import { presentContent } from './content.ts';
import { APP_NAME, APPLICATION_ID, BACKUPSET_NAME, type Place } from './place.ts';

/** Kinds of entities, as the vendor numbers them. */
const TYPE = { client: 3, agent: 4, instance: 5, backupset: 6, subclient: 7 } as const;
/** Amazon DocumentDB among the cloud apps: the kind whose tree, restores and browsing fit. */
const INSTANCE_TYPE = 27;
export const PLAN = { planId: 0, planName: 'leafvault' };
export const TIME_ZONE = { TimeZoneID: 0, TimeZoneName: 'UTC' };
/** Backup, restore, data aging. */
const ACTIVITIES = { activityControlOptions: [1, 2, 16].map((activityType) => ({ activityType, enableActivityType: true })) };

export interface ClientPlace { readonly project: Pick<Project, 'id' | 'name'>; readonly clientId: number }

export function clientEntity({ project, clientId }: ClientPlace): object {
  return { _type_: TYPE.client, clientId, clientName: project.name, hostName: project.name, displayName: project.name, clientGUID: project.id };
}

function agentEntity(place: ClientPlace): object {
  return { ...clientEntity(place), _type_: TYPE.agent, applicationId: APPLICATION_ID, appName: APP_NAME };
}

export function instanceEntity(place: Place): object {
  return { ...agentEntity(place), _type_: TYPE.instance, instanceId: place.instanceId, instanceName: place.cluster.name };
}

function backupsetEntity(place: Place): object {
  return { ...instanceEntity(place), _type_: TYPE.backupset, backupsetId: place.backupsetId, backupsetName: BACKUPSET_NAME };
}

export function subclientEntity(place: Place, { subclientId, subclientName }: { readonly subclientId: number; readonly subclientName: string }): object {
  return { ...backupsetEntity(place), _type_: TYPE.subclient, subclientId, subclientName };
}

export function presentClient(place: ClientPlace): object {
  return {
    client: {
      clientEntity: clientEntity(place),
      osInfo: { Type: 'Any', SubType: '', OsDisplayInfo: { ProcessorType: '', OSName: '' } },
      cvdPort: 0,
      TimeZone: TIME_ZONE,
      versionInfo: {},
    },
    clientProps: {
      activityControl: { EnableDataRecovery: true, EnableDataManagement: true, EnableOnlineContentIndex: false },
      clientActivityControl: ACTIVITIES,
      EnableSnapBackups: false,
    },
  };
}

export function presentAgent(place: ClientPlace): object {
  return { idaEntity: agentEntity(place), idaActivityControl: ACTIVITIES };
}

export function presentInstance(place: Place): object {
  return {
    instance: instanceEntity(place),
    instanceActivityControl: ACTIVITIES,
    cloudAppsInstance: { instanceType: INSTANCE_TYPE, generalCloudProperties: { proxyServers: [] } },
    planEntity: PLAN,
    version: place.cluster.mongodbVersion ?? '',
  };
}

export function presentBackupset(place: Place): object {
  return { backupSetEntity: backupsetEntity(place), commonBackupSet: { isDefaultBackupSet: true }, isDefaultBackupSet: true, planEntity: PLAN };
}

/** `nextBackupAt`: of the cluster's schedule, which takes everything; so of `default` alone. */
export function presentSubclient(place: Place, subclient: Subclient, { number, nextBackupAt }: { readonly number: number; readonly nextBackupAt: Date | null }): object {
  const lastBackupAt = subclient.isDefault ? place.cluster.lastSuccessAt : null;
  return {
    subClientEntity: subclientEntity(place, { subclientId: number, subclientName: subclient.name }),
    commonProperties: {
      isDefaultSubclient: subclient.isDefault,
      description: subclient.description,
      enableBackup: true,
      onDemandSubClient: false,
      lastBackupTime: seconds(lastBackupAt),
      nextBackupTime: seconds(nextBackupAt),
      storageDevice: { dataBackupStoragePolicy: { storagePolicyId: 0, storagePolicyName: PLAN.planName } },
    },
    planEntity: PLAN,
    proxyClient: {},
    cloudAppsSubClientProp: { instanceType: INSTANCE_TYPE },
    cloudDbContent: presentContent(subclient),
  };
}

function seconds(date: Date | null): number {
  return date === null ? 0 : Math.floor(date.getTime() / 1000);
}
