// Puts a table of operations into a facade of the family: version, project and role first, then the handler, then the text.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Organization, Page, Project } from '../../domain/records.ts';
import type { GlobalRole, OrgRole, Principal, ProjectRole } from '../../domain/roles.ts';
import { plainAddress } from '../../foundation/access-list.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { Services } from '../../services/contracts.ts';
import { holdsGlobalRole, requireOrgRole, requireProjectRole } from '../authorize.ts';
import { principalOf, type FacadeContext } from '../facade.ts';
import { answerText, type Answer } from './answer.ts';
import { readId } from './read-id.ts';
import { readMmsQuery, readPage } from './read-query.ts';

/** What a handler gets: already proven and parsed as far as all operations share it. */
export interface Call {
  readonly services: Services;
  readonly clock: Clock;
  readonly principal: Principal;
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
  /** Origin and prefix, for links: `http://host/api/atlas/v2`. */
  readonly root: string;
  readonly origin: string;
  /** Address of who asks. */
  readonly address: string;
  /** 40 hex digits: which Leafvault answers. */
  readonly build: string;
  /** The version that answers; '' in an API without versions. */
  readonly version: string;
  /** @throws QUERY_INVALID */
  page(): Page;
}

export interface ProjectCall extends Call { readonly project: Project }

export interface OrganizationCall extends Call { readonly organization: Organization }

/**
 * One line of a facade's table. Below a project (`:groupId`) any one of `roles` suffices; in an organization (`:orgId`, or that of
 * `:groupId`) any one of `orgRoles`. Below a project one of `globalRoles` suffices as well.
 */
export type Operation =
  | { readonly method: Method; readonly path: string; readonly roles: readonly ProjectRole[]; readonly orgRoles?: undefined; readonly globalRoles?: readonly GlobalRole[]; handle(call: ProjectCall): Promise<Answer> }
  | { readonly method: Method; readonly path: string; readonly roles: null; readonly orgRoles: readonly OrgRole[]; readonly globalRoles?: undefined; handle(call: OrganizationCall): Promise<Answer> }
  | { readonly method: Method; readonly path: string; readonly roles: null; readonly orgRoles?: undefined; readonly globalRoles?: undefined; handle(call: Call): Promise<Answer> };

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How an answer is marked: its media type and version, and what the vendor sends with it. */
export interface AnswerMark {
  readonly contentType: string;
  readonly version: string;
  readonly headers: Readonly<Record<string, string>>;
}

declare module 'fastify' {
  interface FastifyRequest { answerMark: AnswerMark | null }
}

export interface FamilyOptions<Row extends Operation> {
  readonly prefix: string;
  /** Runs behind credentials and before the body is read. May throw a LeafvaultError. */
  mark(operation: Row, request: FastifyRequest): AnswerMark;
}

export function mountOperations<Row extends Operation>(
  app: FastifyInstance, context: FacadeContext, options: FamilyOptions<Row>, operations: readonly Row[],
): void {
  app.decorateRequest('answerMark', null);
  for (const operation of operations) {
    app.route({
      method: operation.method,
      url: operation.path,
      onRequest: async (request, reply) => {
        const mark = options.mark(operation, request);
        request.answerMark = mark;
        void reply.headers(mark.headers);
      },
      handler: (request, reply) => answer(operation, request, reply, { context, prefix: options.prefix }),
    });
  }
}

/** On every answer to someone who proved who he is. */
export function serviceVersionHeader({ version }: FacadeContext): Readonly<Record<string, string>> {
  return { 'x-mongodb-service-version': `gitHash=${version.gitHash}; versionString=${version.versionString}` };
}

async function answer(
  operation: Operation, request: FastifyRequest, reply: FastifyReply, place: { readonly context: FacadeContext; readonly prefix: string },
): Promise<FastifyReply> {
  const call = callOf(request, place);
  // Before anything is done: nothing happens when the answer cannot be given as asked.
  const query = readMmsQuery(request.query);
  const given = await handled(operation, call);
  void reply.header('content-type', request.answerMark?.contentType ?? 'application/json');
  if (given.kind === 'none') return reply.code(given.status ?? 204).send();
  if (given.kind === 'one' && given.status !== undefined) void reply.code(given.status);
  return reply.send(answerText(given, { origin: call.origin, target: request.originalUrl, query }));
}

async function handled(operation: Operation, call: Call): Promise<Answer> {
  if (operation.roles !== null) return operation.handle({ ...call, project: await projectOf(call, operation) });
  if (operation.orgRoles !== undefined) return operation.handle({ ...call, organization: await organizationOf(call, operation.orgRoles) });
  return operation.handle(call);
}

function callOf(request: FastifyRequest, { context, prefix }: { readonly context: FacadeContext; readonly prefix: string }): Call {
  const origin = context.baseUrl();
  return {
    services: context.services,
    clock: context.clock,
    principal: principalOf(request),
    params: request.params as Readonly<Record<string, string>>,
    query: request.query,
    body: request.body,
    headers: request.headers,
    origin,
    address: plainAddress(request.ip),
    build: context.version.gitHash,
    root: `${origin}${prefix}`,
    version: request.answerMark?.version ?? '',
    page: () => readPage(request.query),
  };
}

async function projectOf(call: Call, { roles: anyOf, globalRoles = [] }: { readonly roles: readonly ProjectRole[]; readonly globalRoles?: readonly GlobalRole[] }): Promise<Project> {
  const projectId = readId('group', call.params['groupId']);
  if (holdsGlobalRole(call.principal, globalRoles)) return call.services.inventory.project(projectId);
  return requireProjectRole(call.services, { principal: call.principal, projectId, anyOf });
}

/** The role is asked for first: who lacks it learns nothing of what is there. */
async function organizationOf(call: Call, anyOf: readonly OrgRole[]): Promise<Organization> {
  const orgId = call.params['orgId'] === undefined
    ? (await call.services.inventory.project(readId('group', call.params['groupId']))).orgId
    : readId('organization', call.params['orgId']);
  requireOrgRole(call.principal, orgId, anyOf);
  return call.services.administration.organizations.get(orgId);
}
