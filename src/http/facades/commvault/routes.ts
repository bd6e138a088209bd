// Commvault command center: every path that is answered, in lower case; clients write them as they like.
import type { FastifyRequest } from 'fastify';
import type { Facade, FacadeContext } from '../../facade.ts';
import { presentFailure } from './errors.ts';
import { browseSubclient, doBrowse } from './browse/do-browse.ts';
import { browseSnapshots } from './browse/snapshots.ts';
import { actOnJob } from './job-actions.ts';
import { getEvent, getJob, getJobDetails, getTaskDetails, listActiveJobs, listEvents, listJobs, queryJobs } from './jobs.ts';
import { getSchedule, listSchedules, runCommand } from './schedules/schedules.ts';
import { login, logout, renewToken, whoAmI } from './sessions.ts';
import { backUpSubclient, createTask } from './tasks.ts';
import { changeSubclient, createSubclient, deleteSubclient } from './tree/subclients.ts';
import {
  getBackupset, getClient, getCommServ, getInstance, getSubclient, listAgents, listBackupsets, listClients, listInstances, listSubclients,
} from './tree/tree.ts';

interface CommvaultOperation {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Needs no token. */
  readonly open?: boolean;
  handle(context: FacadeContext, request: FastifyRequest): Promise<object>;
}

export const COMMVAULT_OPERATIONS: readonly CommvaultOperation[] = [
  { method: 'GET', path: '/', open: true, handle: async () => ({}) },
  { method: 'POST', path: '/login', open: true, handle: ({ services }, request) => login(services, request) },
  { method: 'POST', path: '/renewlogintoken', open: true, handle: ({ services }, request) => renewToken(services, request) },
  { method: 'POST', path: '/whoami', handle: ({ services }, request) => whoAmI(services, request) },
  { method: 'GET', path: '/whoami', handle: ({ services }, request) => whoAmI(services, request) },
  { method: 'POST', path: '/logout', handle: ({ services }, request) => logout(services, request) },
  { method: 'GET', path: '/commserv', handle: (context) => getCommServ(context) },
  { method: 'GET', path: '/client', handle: ({ services }, request) => listClients(services, request) },
  { method: 'GET', path: '/client/:number', handle: ({ services }, request) => getClient(services, request) },
  // Virtual machines, of which there are none; without an answer the SDK lists no clients at all.
  { method: 'GET', path: '/vsaclientandclientgrouplist', handle: async () => ({ clients: [] }) },
  { method: 'GET', path: '/agent', handle: ({ services }, request) => listAgents(services, request) },
  { method: 'GET', path: '/instance', handle: ({ services }, request) => listInstances(services, request) },
  { method: 'GET', path: '/instance/:number', handle: ({ services }, request) => getInstance(services, request) },
  { method: 'GET', path: '/backupset', handle: ({ services }, request) => listBackupsets(services, request) },
  { method: 'GET', path: '/backupset/:number', handle: ({ services }, request) => getBackupset(services, request) },
  { method: 'GET', path: '/subclient', handle: ({ services }, request) => listSubclients(services, request) },
  { method: 'POST', path: '/subclient', handle: ({ services }, request) => createSubclient(services, request) },
  { method: 'GET', path: '/subclient/:number', handle: ({ services }, request) => getSubclient(services, request) },
  { method: 'POST', path: '/subclient/:number', handle: ({ services }, request) => changeSubclient(services, request) },
  { method: 'DELETE', path: '/subclient/:number', handle: ({ services }, request) => deleteSubclient(services, request) },
  { method: 'POST', path: '/subclient/:number/action/backup', handle: ({ services }, request) => backUpSubclient(services, request) },
  { method: 'GET', path: '/schedules', handle: ({ services }, request) => listSchedules(services, request) },
  { method: 'GET', path: '/schedules/:number', handle: ({ services }, request) => getSchedule(services, request) },
  { method: 'POST', path: '/qcommand/:command', handle: ({ services }, request) => runCommand(services, request) },
  { method: 'POST', path: '/createtask', handle: ({ services }, request) => createTask(services, request) },
  { method: 'GET', path: '/job', handle: ({ services, clock }, request) => listJobs(services, clock, request) },
  { method: 'GET', path: '/job/:number', handle: ({ services, clock }, request) => getJob(services, clock, request) },
  { method: 'POST', path: '/jobs', handle: ({ services, clock }, request) => queryJobs(services, clock, request) },
  { method: 'GET', path: '/jobs/active', handle: ({ services, clock }, request) => listActiveJobs(services, clock, request) },
  { method: 'GET', path: '/job/:number/taskdetails', handle: ({ services }, request) => getTaskDetails(services, request) },
  { method: 'GET', path: '/events', handle: ({ services }, request) => listEvents(services, request) },
  { method: 'GET', path: '/events/:number', handle: ({ services }, request) => getEvent(services, request) },
  { method: 'POST', path: '/jobdetails', handle: ({ services }, request) => getJobDetails(services, request) },
  { method: 'POST', path: '/job/:number/action/:action', handle: ({ services }, request) => actOnJob(services, request) },
  { method: 'POST', path: '/browserdsbackups', handle: ({ services }, request) => browseSnapshots(services, request) },
  { method: 'POST', path: '/dobrowse', handle: ({ services }, request) => doBrowse(services, request) },
  { method: 'GET', path: '/subclient/:number/browse', handle: ({ services }, request) => browseSubclient(services, request) },
];

export const commvault: Facade = {
  name: 'commvault',
  prefix: '/commandcenter/api',
  aliases: ['/webconsole/api'],
  caseInsensitive: true,
  schemes: ['authtoken'],
  accessList: 'always',
  acceptsJson: (contentType) => contentType === 'application/json' || contentType === '',
  readingRoutes: ['/jobdetails', '/jobs', '/whoami', '/browserdsbackups', '/dobrowse'],
  register(app, context) {
    for (const { method, path, open = false, handle } of COMMVAULT_OPERATIONS) {
      app.route({ method, url: path, config: { open }, handler: async (request, reply) => reply.type('application/json').send(await handle(context, request)) });
    }
  },
  presentFailure: (failure) => presentFailure(failure),
};
