// Puts one facade into the server: credentials first, then the body, then its handlers; every failure leaves
// by the facade's own `presentFailure`.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { auditWrites } from './audit-writes.ts';
import { authenticate } from './auth/authenticate.ts';
import { BODY_LIMIT_BYTES, contentTypeOf, parseBodies } from './body.ts';
import type { Facade, FacadeContext, Failure } from './facade.ts';
import { failureOf } from './failures.ts';

export async function mountFacade(app: FastifyInstance, facade: Facade, context: FacadeContext): Promise<void> {
  await app.register(async (scope) => {
    parseBodies(scope, (contentType) => facade.acceptsJson(contentType));
    scope.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.config?.open === true) return;
      const outcome = await authenticate(request, { identity: context.services.identity, clock: context.clock, facade });
      if (!outcome.ok) {
        sendFailure(facade, context, outcome.failure, request, reply);
        return;
      }
      request.principal = outcome.principal;
      request.sessionToken = outcome.sessionToken;
    });
    auditWrites(scope, facade, context.services.audit);
    scope.setNotFoundHandler((request, reply) => { sendFailure(facade, context, { kind: 'routeNotFound' }, request, reply); });
    scope.setErrorHandler((error, request, reply) => { presentError(facade, context, error, request, reply); });
    await facade.register(scope, context);
  }, { prefix: facade.prefix });
}

/** Answers a thrown error below the facade's prefix. What becomes a 5xx is logged with its cause. */
export function presentError(facade: Facade, context: FacadeContext, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const failure = failureOf(error, { requestId: request.id, contentType: contentTypeOf(request), bodyLimitBytes: BODY_LIMIT_BYTES });
  const status = sendFailure(facade, context, failure, request, reply);
  if (status >= 500) request.log.error({ err: error, door: facade.name }, 'request failed');
}

function sendFailure(facade: Facade, context: FacadeContext, failure: Failure, request: FastifyRequest, reply: FastifyReply): number {
  const answer = facade.presentFailure(failure, request, context);
  if (failure.kind === 'unauthenticated' || failure.kind === 'addressRefused') closeWhenTooMuchIsComing(request, reply);
  void reply.code(answer.status);
  if (failure.kind === 'unauthenticated') void reply.headers(failure.headers);
  void reply.headers(answer.headers ?? {});
  if (!reply.hasHeader('content-type')) void reply.header('content-type', 'application/json');
  // As bytes: to text Fastify would add a charset that the field's servers do not send with errors.
  void reply.send(Buffer.from(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)));
  return answer.status;
}

/** A body that nobody will read is not waited for when it says that it is over the limit. */
function closeWhenTooMuchIsComing(request: FastifyRequest, reply: FastifyReply): void {
  if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) void reply.header('connection', 'close');
}
