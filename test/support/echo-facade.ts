// A tiny facade that says what reached it, and presents every failure as plain facts.
import type { Facade, Failure } from '../../src/http/facade.ts';
import { principalOf } from '../../src/http/facade.ts';

/** Bodies and principals that reached a handler. */
export interface Reached { readonly method: string; readonly by: string; readonly body: unknown }

export function echoFacade(overrides: Partial<Facade> = {}): Facade & { readonly reached: Reached[] } {
  const reached: Reached[] = [];
  return {
    reached,
    name: 'echo',
    prefix: '/api/echo/v1',
    schemes: ['digest', 'bearer'],
    accessList: 'always',
    acceptsJson: (type) => type === 'application/json',
    register(app) {
      app.get('/open', { config: { open: true } }, async () => ({ open: true }));
      app.get('/fails', async () => { throw new Error('a secret inner word'); });
      app.route({
        method: ['GET', 'POST', 'DELETE'],
        url: '/groups/:groupId/things/:name',
        handler: async (request) => {
          const seen = { method: request.method, by: principalOf(request).name, body: request.body };
          reached.push(seen);
          return { ...seen, body: seen.body ?? null, params: request.params };
        },
      });
    },
    presentFailure: (failure) => ({ status: STATUS[failure.kind], body: { kind: failure.kind, reason: 'reason' in failure ? failure.reason : null } }),
    ...overrides,
  };
}

const STATUS: Readonly<Record<Failure['kind'], number>> = {
  unauthenticated: 401, addressRefused: 403, routeNotFound: 404, bodyTooLarge: 413, bodyNotJson: 400,
  contentTypeRefused: 415, badRequest: 400, error: 409, internal: 500,
};
