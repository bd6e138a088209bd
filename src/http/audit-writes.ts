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
    for (const event of eventsOf(request, reply, facade)) {
      await audit.record(event).catch((error: unknown) => {
        // What was asked for is done, and telling the client otherwise would be false: the log keeps the event.
        request.log.error({ err: error, event }, 'audit event was not stored');
      });
    }
  });
}

function isReading(request: FastifyRequest, { prefix, readingRoutes = [] }: Pick<Facade, 'prefix' | 'readingRoutes'>): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  return readingRoutes.includes((request.routeOptions.url ?? '').slice(prefix.length));
}

/** One for each place that was changed: each has a list of its own. */
function eventsOf(request: FastifyRequest, reply: FastifyReply, { name, prefix }: Pick<Facade, 'name' | 'prefix'>): Parameters<Audit['record']>[0][] {
  const route = request.routeOptions.url?.slice(prefix.length) ?? 'unknown';
  const { groupId = null, orgId } = (request.params ?? {}) as { readonly groupId?: string; readonly orgId?: string };
  return (request.changes ?? [{ projectId: groupId, clusterName: null }]).map(({ projectId, clusterName }) => ({
    principal: request.principal,
    action: `${name} ${request.method} ${route}`,
    projectId,
    orgId: orgId ?? request.principal?.orgId ?? null,
    object: redactTarget(request.originalUrl).replaceAll('\0', ''),
    address: plainAddress(request.ip),
    details: { status: request.auditStatus ?? reply.statusCode, requestId: request.id, ...(clusterName === null ? {} : { clusterName }) },
  }));
}
