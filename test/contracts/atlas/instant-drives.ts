// A cluster with continuous backup, in a group of its own: a restore of it to an instant is done, by the position in its oplog.
import assert from 'node:assert/strict';
import type { Drive, World } from './drives.ts';
import { isOver } from './over.ts';

const ofInstants = ({ params }: World): Readonly<Record<string, string>> => ({ groupId: params['instantsGroupId'] ?? '', clusterName: 'instants', restoreJobId: params['instantJobId'] ?? '' });

/** The newest instant that can be restored. */
async function readWindow({ params, settled }: World): Promise<void> {
  const told = await settled(`/api/leafvault/v1/groups/${params['instantsGroupId']}/clusters/${params['instantsClusterId']}/continuous`, ({ state, recoveryPoint }) => state === 'running' && recoveryPoint !== null);
  const { oplogTs, oplogInc } = told['recoveryPoint'] as { readonly oplogTs: number; readonly oplogInc: number };
  Object.assign(params, { oplogTs: String(oplogTs), oplogInc: String(oplogInc) });
}

async function isDone({ params, settled }: World): Promise<void> {
  const job = await settled(`/groups/${params['instantsGroupId']}/clusters/instants/backup/restoreJobs/${params['instantJobId']}`, isOver);
  assert.ok(job['finishedAt'] !== undefined && job['failed'] === false, JSON.stringify(job));
}

export const INSTANT_DRIVES: readonly Drive[] = [
  { id: 'createGroup', body: ({ params }) => ({ name: 'instants', orgId: params['orgId'] }), keep: { instantsGroupId: 'id' } },
  {
    id: 'createGroupCluster', params: ofInstants, keep: { instantsClusterId: 'id' }, then: readWindow,
    body: ({ params }) => ({ name: 'instants', leafvaultConnectionString: params['connectionString'], backupEnabled: false, pitEnabled: true }),
  },
  {
    id: 'createGroupClusterBackupRestoreJob', params: ofInstants, keep: { instantJobId: 'id' }, then: isDone,
    body: ({ params }) => ({ deliveryType: 'pointInTime', targetClusterName: 'instants', targetGroupId: params['instantsGroupId'], oplogTs: Number(params['oplogTs']), oplogInc: Number(params['oplogInc']) }),
  },
  { id: 'getGroupClusterBackupRestoreJob', params: ofInstants },
  { id: 'deleteGroupCluster', params: ofInstants },
  { id: 'deleteGroup', params: ofInstants },
];
