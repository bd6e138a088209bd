// The HTTP instance: request ids, logging, security headers, limits, fallback answers. It has no routes of its own:
// facades, downloads and the console are put in by the caller.
import { randomUUID } from 'node:crypto';
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../foundation/clock.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Services } from '../services/contracts.ts';
import { BODY_LIMIT_BYTES } from './body.ts';
import type { Facade, FacadeContext } from './facade.ts';
import { mountFacade, presentError } from './mount-facade.ts';
import { redactTarget } from './redact-target.ts';
import { urlRewriter } from './rewrite-url.ts';

export interface ServerOptions {
  readonly services: Services;
  readonly facades: readonly Facade[];
  /** Routes without a facade: downloads, health, metrics. */
  readonly plugins?: readonly ((app: FastifyInstance) => void | Promise<void>)[];
  readonly log: Logger;
  readonly clock: Clock;
  /** Origin that clients are told; null: the address that the server listens on. */
  readonly publicUrl: string | null;
  readonly version: FacadeContext['version'];
  /** Addresses or CIDR blocks of proxies whose `X-Forwarded-For` is believed. Absent: nobody's. */
  readonly trustProxy?: readonly string[];
}

export interface HttpServer {
  /** For injected requests in tests. */
  readonly app: FastifyInstance;
  /** Origin that clients are told. @throws before `listen` when no public URL was given */
  baseUrl(): string;
  /** Gives the origin that it listens on. Port 0 takes a free one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>;
  /**
   * Takes no new requests; answers those under way for `graceMs` (downloads too), then cuts. Safe to call twice.
   */
  close(graceMs?: number): Promise<void>;
}

/** Longest segment of a path: a percent-encoded namespace of 255 bytes fits. */
const LONGEST_SEGMENT = 1024;
/** A request must be there whole in this time; answers (downloads) may take any. */
const REQUEST_TIMEOUT_MS = 60_000;

export async function buildServer(options: ServerOptions): Promise<HttpServer> {
  let listeningAt: string | null = null;
  const baseUrl = (): string => {
    const known = options.publicUrl ?? listeningAt;
    if (known === null) throw new Error('The server has no address yet: it does not listen and no public URL is set');
    return known.replace(/\/+$/, '');
  };
  const context: FacadeContext = { services: options.services, clock: options.clock, baseUrl, version: options.version };
  const app = createInstance(options, context);
  addSecurityHeaders(app, options.publicUrl?.startsWith('https:') === true);
  addRequestLog(app, options.clock);
  answerTheRest(app);
  for (const plugin of options.plugins ?? []) await app.register(async (scope) => plugin(scope));
  for (const facade of options.facades) await mountFacade(app, facade, context);
  await app.ready();
  return {
    app,
    baseUrl,
    async listen(address) {
      listeningAt = await app.listen({ host: address.host, port: address.port });
      return listeningAt;
    },
    close: closer(app),
  };
}

function createInstance(options: ServerOptions, context: FacadeContext): FastifyInstance {
  const rewrite = urlRewriter(options.facades);
  const app = fastify({
    loggerInstance: options.log.child({ room: 'http' }) as FastifyBaseLogger,
    // Fastify's own lines would show queries; ours are in `addRequestLog`.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: options.trustProxy === undefined || options.trustProxy.length === 0 ? false : [...options.trustProxy],
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    rewriteUrl: (request) => rewrite(request.url ?? '/'),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: LONGEST_SEGMENT },
    frameworkErrors(error, request, reply) {
      const facade = options.facades.find(({ prefix }) => request.raw.url?.startsWith(`${prefix}/`));
      const answer = reply as unknown as FastifyReply;
      if (facade === undefined) void answer.code(400).send({ error: 400, reason: 'Bad Request', detail: error.message });
      else presentError(facade, context, error, request as unknown as FastifyRequest, answer);
    },
  });
  app.decorateRequest('principal', null);
  app.decorateRequest('changes', null);
  app.decorateRequest('auditStatus', null);
  app.decorateRequest('auditId', null);
  app.decorateRequest('sessionToken', null);
  return app;
}

function addSecurityHeaders(app: FastifyInstance, overTls: boolean): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'strict-origin-when-cross-origin',
      ...(overTls ? { 'strict-transport-security': 'max-age=31536000; includeSubdomains;' } : {}),
    });
  });
}

/** One line for each answer; queries, headers and bodies stay out of it. */
function addRequestLog(app: FastifyInstance, clock: Clock): void {
  const startedMs = new WeakMap<object, number>();
  app.addHook('onRequest', async (request) => { startedMs.set(request, clock.monotonicMs()); });
  app.addHook('onResponse', async (request, reply) => {
    request.log.info({
      method: request.method,
      path: redactTarget(request.originalUrl),
      status: reply.statusCode,
      durationMs: Math.round(clock.monotonicMs() - (startedMs.get(request) ?? clock.monotonicMs())),
      from: request.ip,
      by: request.principal?.name,
    }, 'answered');
  });
}

/** Paths below no door, and failures of plugins. */
function answerTheRest(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // Nobody here wants a body: it is left unread, Node drops it once the answer is out.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 404, reason: 'Not Found', detail: 'Nothing is served at this path' }));
  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error }, 'request failed');
    void reply.code(status).send({ error: status, detail: status >= 500 ? `Unexpected failure, see request ${request.id} in the log` : String(error) });
  });
}

function closer(app: FastifyInstance): (graceMs?: number) => Promise<void> {
  let closing: Promise<void> | null = null;
  return (graceMs = 10_000) => {
    closing ??= (async () => {
      const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
      try {
        await app.close();
      } finally {
        clearTimeout(cut);
      }
    })();
    return closing;
  };
}
