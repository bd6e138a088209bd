// Who may do what at Commvault's door: every operation, every role, written apart from the code. What one may not see is not there (404, an empty
// list); what one sees and may not do is 403.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Document } from 'mongodb';
import { GLOBAL_ROLES, ORG_ROLES, PROJECT_ROLES, type RoleGrant } from '../../../../src/domain/roles.ts';
import { COMMVAULT_OPERATIONS } from '../../../../src/http/facades/commvault/routes.ts';
import { startFacades, type FacadeServer, type Told } from '../../../support/facade-server.ts';
import { ORDERS_ID, ORG_ID, OTHER_ID, SHOP_ID } from '../../../support/memory-services.ts';

const EVERYTHING = ['ORG_OWNER', 'GLOBAL_OWNER'] as const;
const ALL_BACKUPS = [...EVERYTHING, 'GROUP_OWNER', 'GROUP_BACKUP_MANAGER', 'GROUP_BACKUP_ADMIN', 'GLOBAL_BACKUP_ADMIN'] as const;
const MAY: Readonly<Record<string, readonly string[]>> = {
  read: [...EVERYTHING, ...PROJECT_ROLES, 'ORG_READ_ONLY', 'GLOBAL_READ_ONLY', 'GLOBAL_BACKUP_ADMIN'],
  manage: ALL_BACKUPS,
  backUp: [...ALL_BACKUPS, 'GROUP_BACKUP_CREATOR'],
  restore: [...ALL_BACKUPS, 'GROUP_BACKUP_RECOVERY_OPERATOR'],
};

interface Holder { readonly name: string; readonly grants: readonly RoleGrant[] }
const HOLDERS: readonly Holder[] = [
  ...PROJECT_ROLES.map((role) => ({ name: role, grants: [{ role, projectId: SHOP_ID }] })),
  ...ORG_ROLES.map((role) => ({ name: role, grants: [{ role, orgId: ORG_ID }] })),
  ...GLOBAL_ROLES.map((role) => ({ name: role, grants: [{ role }] })),
  { name: 'neighbour', grants: [{ role: 'GROUP_OWNER', projectId: OTHER_ID }] },
  { name: 'nobody', grants: [] },
];

interface Row {
  readonly may: 'open' | 'any' | keyof typeof MAY;
  /** Prepares what is asked for; it is called anew for each holder. */
  ask(numbers: Numbers): Promise<{ readonly path: string; readonly body?: unknown; readonly headers?: Record<string, string> }> | { readonly path: string; readonly body?: unknown };
  /** What is seen of `shop`; a list that says nothing of it is as good as a 404. */
  readonly seen?: RegExp;
}

interface Numbers {
  readonly client: number; readonly instance: number; readonly backupset: number; readonly subclient: number; readonly snapshotId: string;
  backup(): Promise<number>; restore(): Promise<number>; freshSubclient(): Promise<number>; schedule(): Promise<readonly [task: number, subTask: number]>;
}

const ENTITY = { clientName: 'shop', instanceName: 'orders', subclientName: 'default' };
const backupBody = { taskInfo: { associations: [ENTITY], subTasks: [{ subTask: { subTaskType: 2 }, options: { backupOpts: {} } }] } };
const restoreBody = (restoreSnapshotId: string): object => ({
  taskInfo: { associations: [ENTITY], subTasks: [{ subTask: { subTaskType: 3 }, options: { restoreOptions: { cloudAppsRestoreOptions: { documentDBRestoreOptions: { restoreSnapshotId } } } } }] },
});
const scheduleBody = { taskInfo: { associations: [ENTITY], task: { taskType: 2 }, subTasks: [{ subTask: { subTaskType: 2 }, pattern: { freq_type: 8, freq_interval: 2 }, options: { backupOpts: {} } }] } };
let serial = 0;

const at = (path: string, more: Partial<Row> = {}): Row => ({ may: 'read', ask: () => ({ path }), ...more });
const action = (name: string, kind: 'backup' | 'restore'): Row => ({ may: kind === 'backup' ? 'backUp' : 'restore', ask: async (numbers) => ({ path: `/Job/${await numbers[kind]()}/action/${name}` }) });

/** By the operation; where one does several things, each of them. */
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  'GET /': [at('/', { may: 'open' })],
  'POST /login': [{ may: 'open', ask: () => ({ path: '/Login', body: { username: 'a', password: 'b' } }) }],
  'POST /renewlogintoken': [{ may: 'open', ask: () => ({ path: '/RenewLoginToken', body: { sessionId: 'x' } }) }],
  'POST /whoami': [at('/WhoAmI', { may: 'any' })],
  'GET /whoami': [at('/WhoAmI', { may: 'any' })],
  'POST /logout': [at('/Logout', { may: 'any' })],
  'GET /commserv': [at('/CommServ', { may: 'any' })],
  'GET /vsaclientandclientgrouplist': [at('/VSAClientAndClientGroupList', { may: 'any' })],
  'GET /client': [at('/Client', { seen: /"shop"/ })],
  'GET /client/:number': [{ may: 'read', ask: ({ client }) => ({ path: `/Client/${client}` }) }],
  'GET /agent': [at('/Agent', { seen: /"shop"/ })],
  'GET /instance': [at('/Instance', { seen: /"orders"/ })],
  'GET /instance/:number': [{ may: 'read', ask: ({ instance }) => ({ path: `/Instance/${instance}` }) }],
  'GET /backupset': [at('/Backupset', { seen: /"orders"/ })],
  'GET /backupset/:number': [{ may: 'read', ask: ({ backupset }) => ({ path: `/Backupset/${backupset}` }) }],
  'GET /subclient': [at('/Subclient', { seen: /"orders"/ })],
  'GET /subclient/:number': [{ may: 'read', ask: ({ subclient }) => ({ path: `/Subclient/${subclient}` }) }],
  'GET /subclient/:number/browse': [{ may: 'read', ask: ({ subclient }) => ({ path: `/Subclient/${subclient}/Browse` }) }],
  'POST /subclient': [{ may: 'manage', ask: () => ({ path: '/Subclient', body: { subClientProperties: { subClientEntity: { ...ENTITY, subclientName: `new ${serial++}` } } } }) }],
  'POST /subclient/:number': [{ may: 'manage', ask: async (numbers) => ({ path: `/Subclient/${await numbers.freshSubclient()}`, body: { subClientProperties: { commonProperties: { description: 'x' } } } }) }],
  'DELETE /subclient/:number': [{ may: 'manage', ask: async (numbers) => ({ path: `/Subclient/${await numbers.freshSubclient()}` }) }],
  'POST /subclient/:number/action/backup': [{ may: 'backUp', ask: ({ subclient }) => ({ path: `/Subclient/${subclient}/action/backup` }) }],
  'GET /schedules': [{ may: 'read', ask: async (numbers) => (await numbers.schedule(), { path: '/Schedules' }), seen: /"orders"/ }],
  'GET /schedules/:number': [{ may: 'read', ask: async (numbers) => ({ path: `/Schedules/${(await numbers.schedule())[1]}` }) }],
  'POST /qcommand/:command': [{ may: 'manage', ask: async (numbers) => ({ path: '/QCommand/x', body: { TMMsg_TaskOperationReq: { opType: 3, subtaskEntity: [{ subtaskId: (await numbers.schedule())[1] }] } } }) }],
  'POST /createtask': [
    { may: 'backUp', ask: () => ({ path: '/CreateTask', body: backupBody }) },
    { may: 'restore', ask: ({ snapshotId }) => ({ path: '/CreateTask', body: restoreBody(snapshotId) }) },
    { may: 'manage', ask: async (numbers) => { await numbers.schedule(); return { path: '/CreateTask', body: scheduleBody }; } },
  ],
  'GET /job': [{ may: 'read', ask: async (numbers) => ({ path: `/Job?x=${await numbers.backup()}` }), seen: /"orders"/ }],
  'POST /jobs': [at('/Jobs', { ask: () => ({ path: '/Jobs', body: {} }), seen: /"orders"/ })],
  'GET /job/:number': [{ may: 'read', ask: async (numbers) => ({ path: `/Job/${await numbers.backup()}` }) }],
  'GET /job/:number/taskdetails': [{ may: 'read', ask: async (numbers) => ({ path: `/Job/${await numbers.backup()}/TaskDetails` }), seen: /taskInfo/ }],
  'GET /events': [{ may: 'read', ask: async (numbers) => ({ path: `/Events?jobId=${await numbers.backup()}` }) }],
  'GET /events/:number': [{ may: 'read', ask: async (numbers) => ({ path: `/Events/${(await numbers.backup()) * 1_000}` }) }],
  'GET /jobs/active': [{ may: 'read', ask: async (numbers) => ({ path: `/Jobs/Active?x=${await numbers.backup()}` }), seen: /"orders"/ }],
  'POST /jobdetails': [{ may: 'read', ask: async (numbers) => ({ path: '/JobDetails', body: { jobId: await numbers.backup() } }), seen: /jobDetail"/ }],
  'POST /job/:number/action/:action': ['kill', 'pause', 'resume', 'Resubmit'].flatMap((name) => [action(name, 'backup'), action(name, 'restore')]),
  'POST /browserdsbackups': [{ may: 'read', ask: ({ instance }) => ({ path: '/BrowseRDSBackups', body: { entity: { instanceId: instance } } }) }],
  'POST /dobrowse': [{ may: 'read', ask: ({ instance }) => ({ path: '/DoBrowse', body: { entity: { instanceId: instance } } }) }],
};

describe('roles in Commvault', () => {
  let facade: FacadeServer;
  let numbers: Numbers;
  before(async () => {
    facade = await startFacades();
    const { services } = facade;
    const ofTask = async (body: unknown): Promise<Document> => (await facade.commvault('/CreateTask', { method: 'POST', body })).json;
    const defaultId = (await services.subclients.resolve(ORDERS_ID, 'default')).id;
    const first = (await ofTask(backupBody))['jobIds'][0] as string;
    const snapshotId = String([...facade.jobs.values()].find(({ number }) => String(number) === first)?.snapshotId);
    facade.completeSnapshot(snapshotId);
    facade.held.push({ db: 'shop', name: 'orders', documents: 1, bytes: 1 });
    numbers = {
      client: await services.numbers.numberOf('project', SHOP_ID), instance: await services.numbers.numberOf('cluster', ORDERS_ID),
      backupset: await services.numbers.numberOf('backupset', ORDERS_ID), subclient: await services.numbers.numberOf('subclient', defaultId), snapshotId,
      backup: async () => Number((await ofTask(backupBody))['jobIds'][0]),
      restore: async () => Number((await ofTask(restoreBody(snapshotId)))['jobIds'][0]),
      async freshSubclient() {
        const { json } = await facade.commvault('/Subclient', { method: 'POST', body: { subClientProperties: { subClientEntity: { ...ENTITY, subclientName: `s ${serial++}` } } } });
        return (json as Document)['response'].entity.subclientId as number;
      },
      /** The only item: whoever is asked about may have deleted the one before, or made another. */
      async schedule() {
        const cluster = (await services.inventory.clusterById(SHOP_ID, ORDERS_ID));
        await services.schedules.change({ cluster, principal: { kind: 'user', id: 'u', name: 'u', orgId: ORG_ID, grants: [] }, change: () => ({ items: [] }) });
        await ofTask({ taskInfo: { ...scheduleBody.taskInfo, subTasks: [{ ...scheduleBody.taskInfo.subTasks[0], pattern: { freq_type: 4 } }] } });
        const { json } = await facade.commvault('/Schedules');
        const [{ task, subTasks }] = (json as Document)['taskDetail'];
        return [task.taskId, subTasks[0].subTask.subTaskId];
      },
    };
  });
  after(() => facade.close());

  const verdictOf = ({ status, text }: Told, { seen = /./ }: Row): string => {
    if (status === 200) return seen.test(text) ? 'done' : 'hidden';
    return { 401: 'unknown', 403: 'refused', 404: 'hidden' }[status] ?? `${status} ${text}`;
  };
  const wantedOf = ({ may }: Row, { name }: Holder): string => {
    if (may === 'open' || may === 'any' || MAY[may]?.includes(name)) return 'done';
    return may !== 'read' && MAY['read']?.includes(name) ? 'refused' : 'hidden';
  };

  test('are told of every operation', () => assert.deepEqual(COMMVAULT_OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort(), Object.keys(TABLE).sort()));

  for (const [operation, rows] of Object.entries(TABLE)) {
    for (const row of rows) {
      test(`${operation} is for: ${row.may}`, async () => {
        const method = operation.slice(0, operation.indexOf(' ')) as 'GET' | 'POST' | 'DELETE';
        const wrong: string[] = [];
        for (const holder of HOLDERS) {
          const { path, body } = await row.ask(numbers);
          const authtoken = await facade.identity.openSession({ kind: 'user', id: holder.name, name: holder.name, orgId: ORG_ID, grants: holder.grants });
          const verdict = verdictOf(await facade.commvault(path, { method, headers: { authtoken }, ...(body === undefined ? {} : { body }) }), row);
          if (verdict !== wantedOf(row, holder)) wrong.push(`${holder.name}: ${verdict}`);
        }
        assert.deepEqual(wrong, []);
        const { path, body } = await row.ask(numbers);
        const stranger = await facade.commvault(path, { method, headers: { authtoken: 'QSDK 00' }, ...(body === undefined ? {} : { body }) });
        assert.equal(stranger.status, row.may === 'open' ? 200 : 401, 'a token of nobody');
      });
    }
  }

  test('are asked for in the source of a restore and in its target', async () => {
    const role = 'GROUP_BACKUP_RECOVERY_OPERATOR';
    const body = { taskInfo: { associations: [ENTITY], subTasks: [{ subTask: { subTaskType: 3 }, options: { restoreOptions: {
      destination: { inPlace: false, destClient: { clientName: 'other' } }, cloudAppsRestoreOptions: { documentDBRestoreOptions: { restoreSnapshotId: numbers.snapshotId, targetInstanceId: 'vault' } },
    } } }] } };
    const tryAs = async (grants: readonly RoleGrant[]): Promise<number> => {
      const authtoken = await facade.identity.openSession({ kind: 'user', id: 'u', name: 'u', orgId: ORG_ID, grants });
      return (await facade.commvault('/CreateTask', { method: 'POST', body, headers: { authtoken } })).status;
    };
    assert.equal(await tryAs([{ role, projectId: SHOP_ID }]), 404, 'the target is not seen');
    assert.equal(await tryAs([{ role, projectId: SHOP_ID }, { role: 'GROUP_READ_ONLY', projectId: OTHER_ID }]), 403);
    assert.equal(await tryAs([{ role: 'GROUP_READ_ONLY', projectId: SHOP_ID }, { role, projectId: OTHER_ID }]), 403);
    assert.equal(await tryAs([{ role, projectId: SHOP_ID }, { role, projectId: OTHER_ID }]), 200);
  });
});
