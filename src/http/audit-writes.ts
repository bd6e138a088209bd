// Every request that may change something leaves an audit event, with its outcome, before it is answered.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Audit } from '../services/contracts.ts';
import { plainAddress } from '../foundation/access-list.ts';
import type { Facade } from './facade.ts';
import { redactTarget } from './redact-target.ts';

/** For the requests of one facade whose credentials were good; the others are in the log alone, or anybody could fill the audit. */
export function auditWrites(scope: FastifyInstance, facade: Pick<Facade, 'name' | 'prefix' | 'readingRoutes'>, audit: Audit): void {
  scope.addHook('onSend', async (request, reply) => {
    if (request.principal === null || isReading(request, facade)) return;
    await audit.record(eventOf(request, reply, facade)).catch((error: unknown) => {
      // What was asked for is done, and telling the client otherwise would be false: the log keeps the event.
      request.log.error({ err: error, event: eventOf(request, reply, facade) }, 'audit event was not stored');
    });
  });
}

function isReading(request: FastifyRequest, { prefix, readingRoutes = [] }: Pick<Facade, 'prefix' | 'readingRoutes'>): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  return readingRoutes.includes((request.routeOptions.url ?? '').slice(prefix.length));
}

function eventOf(request: FastifyRequest, reply: FastifyReply, { name, prefix }: Pick<Facade, 'name' | 'prefix'>): Parameters<Audit['record']>[0] {
  const route = request.routeOptions.url?.slice(prefix.length) ?? 'unknown';
  const { groupId, orgId } = (request.params ?? {}) as { readonly groupId?: string; readonly orgId?: string };
  return {
    principal: request.principal,
    action: `${name} ${request.method} ${route}`,
    projectId: groupId ?? null,
    orgId: orgId ?? request.principal?.orgId ?? null,
    object: redactTarget(request.originalUrl).replaceAll('\0', ''),
    address: plainAddress(request.ip),
    details: { status: reply.statusCode, requestId: request.id },
  };
}
