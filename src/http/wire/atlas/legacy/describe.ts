// The legacy backup in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { changeScheduleBody, createRestoreJobBody, updateSnapshotBody } from '../../mms-backup/schemas.ts';
import { hexId } from '../../shapes.ts';
import { restoreJobMembers, scheduleMembers, snapshotMembers } from '../../mms-backup/shapes.ts';
import * as handlers from './handlers.ts';

const restoreJob = { name: 'LegacyRestoreJob', schema: z.strictObject(restoreJobMembers) };
const snapshot = { name: 'LegacySnapshot', schema: z.strictObject(snapshotMembers) };
const schedule = { name: 'LegacySchedule', schema: z.strictObject({ ...scheduleMembers, clusterCheckpointIntervalMin: z.int() }) };

export const LEGACY_OPERATIONS: DescribedResource = {
  tag: 'Legacy backup',
  operations: [
    [handlers.listCheckpoints, { summary: 'Lists checkpoints: there are none', answer: { kind: 'page', of: { name: 'Checkpoint', schema: z.strictObject({}) } } }],
    [handlers.getCheckpoint, { summary: 'Finds no checkpoint', answer: { kind: 'refusal' } }],
    [handlers.createLegacyRestoreJob, { summary: 'Restores a snapshot or a point in time, or prepares a download', body: { name: 'CreateLegacyRestoreJob', schema: createRestoreJobBody }, answer: { kind: 'list', of: restoreJob } }],
    [handlers.listLegacyRestoreJobs, { summary: 'Lists restore jobs, newest first; those of a batch: none', query: { batchId: hexId }, answer: { kind: 'page', of: restoreJob } }],
    [handlers.getLegacyRestoreJob, { summary: 'Reads a restore job', answer: { kind: 'one', of: restoreJob } }],
    [handlers.listLegacySnapshots, { summary: 'Lists snapshots, newest first: complete ones unless told', query: { completed: z.enum(['true', 'false', 'all']) }, answer: { kind: 'page', of: snapshot } }],
    [handlers.getLegacySnapshot, { summary: 'Reads a snapshot', answer: { kind: 'one', of: snapshot } }],
    [handlers.updateLegacySnapshot, { summary: 'Changes how long a snapshot is kept; a time in the past deletes it', body: { name: 'UpdateLegacySnapshot', schema: updateSnapshotBody }, answer: { kind: 'one', of: snapshot } }],
    [handlers.deleteLegacySnapshot, { summary: 'Deletes a snapshot', answer: { kind: 'none' } }],
    [handlers.getLegacySchedule, { summary: 'Reads the schedule, one retention for each frequency', answer: { kind: 'one', of: schedule } }],
    [handlers.updateLegacySchedule, { summary: 'Changes the schedule; what is absent, and what this form cannot say, stays', body: { name: 'ChangeLegacySchedule', schema: changeScheduleBody }, answer: { kind: 'one', of: schedule } }],
  ],
};
