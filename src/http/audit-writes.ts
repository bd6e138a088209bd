// Every request that may change something leaves an audit event: written before it is begun, with its outcome before it is answered.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Audit, AuditedRequest } from '../services/contracts.ts';
import { plainAddress } from '../foundation/access-list.ts';
import type { Change, Facade } from './facade.ts';
import { redactTarget } from './redact-target.ts';

const BEYOND_THE_LIMIT = 429;

type Door = Pick<Facade, 'name' | 'prefix' | 'readingRoutes'>;

/** For the requests of one facade whose credentials were good; the others are in the log alone, or anybody could fill the audit. */
export function auditWrites(scope: FastifyInstance, door: Door, audit: Audit): void {
  // The last moment before a handler. Where the catalog refuses the row nothing is changed: the request fails.
  scope.addHook('preHandler', async (request) => {
    if (isReading(request, door) || request.is404) return;
    request.auditId = await audit.begin(eventOf(request, door, placeOf(request)));
  });
  scope.addHook('onSend', async (request, reply) => {
    // Beyond the limit of requests nothing is begun, nor written: anybody with credentials could fill the audit as fast as he can send.
    if (isReading(request, door) || (request.auditId === null && reply.statusCode === BEYOND_THE_LIMIT)) return;
    const events = (request.changes ?? [placeOf(request)]).map((place) => withOutcome(eventOf(request, door, place), request, reply));
    await store(audit, request.auditId, events).catch((error: unknown) => {
      // What was asked for is done, and telling the client otherwise would be false: the event stays without an outcome, and the log keeps it.
      request.log.error({ err: error, events }, 'outcome of an audit event was not stored');
    });
  });
}

/** What was refused before its handler was not begun, and is written whole. */
async function store(audit: Audit, begun: number | null, events: readonly AuditedRequest[]): Promise<void> {
  if (begun !== null) return audit.settle(begun, events);
  for (const event of events) await audit.record(event);
}

function isReading(request: FastifyRequest, { prefix, readingRoutes = [] }: Door): boolean {
  if (request.principal === null || request.method === 'GET' || request.method === 'HEAD') return true;
  return readingRoutes.includes((request.routeOptions.url ?? '').slice(prefix.length));
}

/** What the path says; paths that name no project are noted by their handlers (`noteChange`). */
function placeOf({ params }: FastifyRequest): { readonly projectId: string | null; readonly clusterName: null } {
  return { projectId: (params as { readonly groupId?: string } | undefined)?.groupId ?? null, clusterName: null };
}

/** One for each place that was changed: each has a list of its own. */
function eventOf(request: FastifyRequest, { name, prefix }: Door, { projectId, clusterName }: Change | ReturnType<typeof placeOf>): AuditedRequest {
  const { orgId } = (request.params ?? {}) as { readonly orgId?: string };
  return {
    principal: request.principal,
    action: `${name} ${request.method} ${request.routeOptions.url?.slice(prefix.length) ?? 'unknown'}`,
    projectId,
    orgId: orgId ?? request.principal?.orgId ?? null,
    object: redactTarget(request.originalUrl).replaceAll('\0', ''),
    address: plainAddress(request.ip),
    details: { requestId: request.id, ...(clusterName === null ? {} : { clusterName }) },
  };
}

function withOutcome({ details, ...event }: AuditedRequest, request: FastifyRequest, reply: FastifyReply): AuditedRequest {
  return { ...event, details: { status: request.auditStatus ?? reply.statusCode, ...details } };
}
