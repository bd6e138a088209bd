// Commvault command center: every path that is answered, in lower case; clients write them as they like.
import type { FastifyRequest } from 'fastify';
import type { Facade } from '../../facade.ts';
import { presentFailure } from './errors.ts';
import { actOnJob, browseSnapshots, getJob, getJobDetails, listJobs } from './jobs.ts';
import { login, logout, renewToken, whoAmI } from './sessions.ts';
import { createTask } from './tasks.ts';

export interface CommvaultOperation {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Needs no token. */
  readonly open?: boolean;
}

export const commvault: Facade = {
  name: 'commvault',
  prefix: '/commandcenter/api',
  aliases: ['/webconsole/api'],
  caseInsensitive: true,
  schemes: ['authtoken'],
  accessList: 'always',
  // Asked by every poll: they change nothing.
  readingRoutes: ['/whoami', '/jobdetails', '/browserdsbackups'],
  acceptsJson: (contentType) => contentType === 'application/json' || contentType === '',
  register(app, { services, clock }) {
    const route = ({ method, path, open = false }: CommvaultOperation, handle: (request: FastifyRequest) => Promise<object>): void => {
      app.route({ method, url: path, config: { open }, handler: async (request, reply) => reply.type('application/json').send(await handle(request)) });
    };
    route({ method: 'GET', path: '/', open: true }, async () => ({}));
    route({ method: 'POST', path: '/login', open: true }, (request) => login(services, request));
    route({ method: 'POST', path: '/renewlogintoken', open: true }, (request) => renewToken(services, request));
    route({ method: 'POST', path: '/whoami' }, (request) => whoAmI(services, request));
    route({ method: 'GET', path: '/whoami' }, (request) => whoAmI(services, request));
    route({ method: 'POST', path: '/logout' }, (request) => logout(services, request));
    route({ method: 'POST', path: '/createtask' }, (request) => createTask(services, request));
    route({ method: 'GET', path: '/job' }, (request) => listJobs(services, clock, request));
    route({ method: 'GET', path: '/job/:number' }, (request) => getJob(services, clock, request));
    route({ method: 'POST', path: '/jobdetails' }, (request) => getJobDetails(services, request));
    route({ method: 'POST', path: '/job/:number/action/:action' }, (request) => actOnJob(services, request));
    route({ method: 'POST', path: '/browserdsbackups' }, (request) => browseSnapshots(services, request));
  },
  presentFailure: (failure) => presentFailure(failure),
};
