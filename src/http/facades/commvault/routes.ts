// Commvault command center: every path that is answered, in lower case; clients write them as they like.
import type { FastifyRequest } from 'fastify';
import type { Facade, FacadeContext } from '../../facade.ts';
import { presentFailure } from './errors.ts';
import { actOnJob, browseSnapshots, getJob, getJobDetails, listJobs } from './jobs.ts';
import { login, logout, renewToken, whoAmI } from './sessions.ts';
import { createTask } from './tasks.ts';

interface CommvaultOperation {
  readonly method: 'GET' | 'POST';
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
  { method: 'POST', path: '/createtask', handle: ({ services }, request) => createTask(services, request) },
  { method: 'GET', path: '/job', handle: ({ services, clock }, request) => listJobs(services, clock, request) },
  { method: 'GET', path: '/job/:number', handle: ({ services, clock }, request) => getJob(services, clock, request) },
  { method: 'POST', path: '/jobdetails', handle: ({ services }, request) => getJobDetails(services, request) },
  { method: 'POST', path: '/job/:number/action/:action', handle: ({ services }, request) => actOnJob(services, request) },
  { method: 'POST', path: '/browserdsbackups', handle: ({ services }, request) => browseSnapshots(services, request) },
];

export const commvault: Facade = {
  name: 'commvault',
  prefix: '/commandcenter/api',
  aliases: ['/webconsole/api'],
  caseInsensitive: true,
  schemes: ['authtoken'],
  accessList: 'always',
  acceptsJson: (contentType) => contentType === 'application/json' || contentType === '',
  readingRoutes: ['/jobdetails', '/whoami', '/browserdsbackups'],
  register(app, context) {
    for (const { method, path, open = false, handle } of COMMVAULT_OPERATIONS) {
      app.route({ method, url: path, config: { open }, handler: async (request, reply) => reply.type('application/json').send(await handle(context, request)) });
    }
  },
  presentFailure: (failure) => presentFailure(failure),
};
