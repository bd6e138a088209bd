// Ops Manager's operations in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../wire/describe.ts';
import { changeScheduleBody, createRestoreJobBody, updateSnapshotBody } from '../../wire/mms-backup/schemas.ts';
import { restoreJobMembers, scheduleMembers, snapshotMembers } from '../../wire/mms-backup/shapes.ts';
import { bsonTime, count, hexId, links, time } from '../../wire/shapes.ts';
import * as configs from './backup-configs.ts';
import * as handlers from './handlers.ts';
import * as hosts from './hosts.ts';
import { changeBackupConfigBody } from './schemas.ts';

const restoreJob = { name: 'OpsManagerRestoreJob', schema: z.strictObject({ ...restoreJobMembers, pointInTime: z.boolean() }) };
const snapshot = {
  name: 'OpsManagerSnapshot',
  schema: z.strictObject({
    ...snapshotMembers, isPossiblyInconsistent: z.boolean(), missingShards: z.array(z.unknown()), namespaceFilterList: z.strictObject({ filterList: z.array(z.string()), filterType: z.enum(['blacklist', 'whitelist']) }),
  }),
};
const schedule = { name: 'OpsManagerSchedule', schema: z.strictObject({ ...scheduleMembers, referenceHourOfDay: z.int(), referenceMinuteOfHour: z.int(), referenceTimeZoneOffset: z.literal('+0000') }) };
const range = { name: 'RestorableRange', schema: z.strictObject({ start: bsonTime, end: bsonTime, snapshotId: hexId }) };
const cluster = {
  name: 'OpsManagerCluster',
  schema: z.strictObject({ clusterName: z.string(), groupId: hexId, id: hexId, lastHeartbeat: time, links, replicaSetName: z.string().optional(), typeName: z.literal('REPLICA_SET') }),
};
const status = z.enum(['INACTIVE', 'PROVISIONING', 'STARTED', 'STOPPED', 'TERMINATING']);
const backupConfig = {
  name: 'OpsManagerBackupConfig',
  schema: z.strictObject({
    authMechanismName: z.string(), clusterId: hexId, encryptionEnabled: z.boolean(), excludedNamespaces: z.array(z.string()).optional(), includedNamespaces: z.array(z.string()).optional(), groupId: hexId, links,
    provisioned: z.boolean(), sslEnabled: z.boolean(), statusName: status, storageEngineName: z.literal('WIRED_TIGER'),
  }),
};
const onDemand = { name: 'OpsManagerSnapshotOnDemand', schema: z.strictObject({ clusterName: z.string(), description: z.string(), id: hexId, timestamp: z.strictObject({ date: time, increment: z.int(), time: z.int() }) }) };
const host = {
  name: 'OpsManagerHost',
  schema: z.looseObject({
    clusterId: hexId, created: time, groupId: hexId, hostname: z.string(), id: hexId, lastPing: time.optional(), links, port: z.int(), replicaSetName: z.string().optional(), replicaStateName: z.string().optional(),
    typeName: z.enum(['REPLICA_PRIMARY', 'REPLICA_SECONDARY', 'REPLICA_ARBITER', 'STANDALONE', 'NO_DATA']), version: z.string().optional(),
  }),
};
const automation = { name: 'OpsManagerAutomationConfig', schema: z.looseObject({ processes: z.array(z.unknown()), replicaSets: z.array(z.unknown()), sharding: z.array(z.unknown()), version: z.int() }) };
const group = { name: 'OpsManagerGroup', schema: z.looseObject({ activeAgentCount: count, id: hexId, links, name: z.string(), orgId: hexId, replicaSetCount: count }) };

export const OPS_MANAGER: DescribedResource = {
  tag: 'Ops Manager',
  operations: [
    [handlers.createRestoreJob, { summary: 'Restores a snapshot or a point in time, or prepares a download', body: { name: 'CreateLegacyRestoreJob', schema: createRestoreJobBody }, answer: { kind: 'list', of: restoreJob } }],
    [handlers.listRestorableTimeRanges, { summary: 'Lists what can be restored between snapshots', answer: { kind: 'bare', of: range } }],
    [handlers.listRestoreJobs, { summary: 'Lists restore jobs, newest first; those of a batch: none', query: { batchId: hexId }, answer: { kind: 'page', of: restoreJob } }],
    [handlers.getRestoreJob, { summary: 'Reads a restore job', answer: { kind: 'one', of: restoreJob } }],
    [handlers.listSnapshots, { summary: 'Lists snapshots, newest first: complete ones unless told', query: { completed: z.enum(['true', 'false', 'all']) }, answer: { kind: 'page', of: snapshot } }],
    [handlers.getSnapshot, { summary: 'Reads a snapshot', answer: { kind: 'one', of: snapshot } }],
    [handlers.updateSnapshot, { summary: 'Changes how long a snapshot is kept; a time in the past deletes it', body: { name: 'UpdateLegacySnapshot', schema: updateSnapshotBody }, answer: { kind: 'one', of: snapshot } }],
    [handlers.deleteSnapshot, { summary: 'Deletes a snapshot', answer: { kind: 'none' } }],
    [configs.createSnapshotOnDemand, { summary: 'Takes a snapshot now', query: { retentionDays: z.int().min(1) }, answer: { kind: 'one', of: onDemand } }],
    [configs.listBackupConfigs, { summary: 'Lists whether clusters are backed up, and what of them', answer: { kind: 'page', of: backupConfig } }],
    [configs.getBackupConfig, { summary: 'Tells whether a cluster is backed up, and what of it', answer: { kind: 'one', of: backupConfig } }],
    [configs.updateBackupConfig, { summary: 'Starts, stops or ends the backups of a cluster, or changes what snapshots take of it', body: { name: 'ChangeBackupConfig', schema: changeBackupConfigBody }, answer: { kind: 'one', of: backupConfig } }],
    [hosts.listHosts, { summary: 'Lists the servers of the clusters, asked now', query: { clusterId: hexId }, answer: { kind: 'page', of: host } }],
    [hosts.getHost, { summary: 'Reads a server', answer: { kind: 'one', of: host } }],
    [hosts.getHostByName, { summary: 'Reads the server of that name and port', answer: { kind: 'one', of: host } }],
    [hosts.refuseHost, { summary: 'Finds no config server', answer: { kind: 'refusal' } }],
    [hosts.getAutomationConfig, { summary: 'Tells the processes and replica sets; nothing is automated', answer: { kind: 'one', of: automation } }],
    [handlers.getSchedule, { summary: 'Reads the schedule, one retention for each frequency', answer: { kind: 'one', of: schedule } }],
    [handlers.updateSchedule, { summary: 'Changes the schedule; what is absent, and what this form cannot say, stays', body: { name: 'ChangeLegacySchedule', schema: changeScheduleBody }, answer: { kind: 'one', of: schedule } }],
    [handlers.listCheckpoints, { summary: 'Lists checkpoints: there are none', answer: { kind: 'page', of: { name: 'OpsManagerCheckpoint', schema: z.strictObject({}) } } }],
    [handlers.getCheckpoint, { summary: 'Finds no checkpoint', answer: { kind: 'refusal' } }],
    [handlers.listClusters, { summary: 'Lists clusters', answer: { kind: 'page', of: cluster } }],
    [handlers.getCluster, { summary: 'Reads a cluster', answer: { kind: 'one', of: cluster } }],
    [handlers.listGroups, { summary: 'Lists the projects that the key may see', answer: { kind: 'page', of: group } }],
    [handlers.listOrganizationGroups, { summary: 'Lists the projects of an organization', answer: { kind: 'page', of: group } }],
    [handlers.getGroup, { summary: 'Reads a project', answer: { kind: 'one', of: group } }],
    [handlers.getGroupByName, { summary: 'Reads the project of that name', answer: { kind: 'one', of: group } }],
  ],
};
