// What a facade is to the server, and what it is given. A facade translates between its wire form and the
// services; the server owns credentials, body limits, parsing and the way out for everything that fails.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Principal } from '../domain/roles.ts';
import type { Clock } from '../foundation/clock.ts';
import type { LeafvaultError } from '../foundation/errors.ts';
import type { Services } from '../services/contracts.ts';

/** Ways to prove who is asking; a facade lists those that its API knows. */
export type AuthScheme = 'digest' | 'bearer' | 'authtoken';

export interface FacadeContext {
  readonly services: Services;
  readonly clock: Clock;
  /** Origin that clients are told, without a slash at the end: `http://127.0.0.1:27080`. Known once the server listens. */
  baseUrl(): string;
  /** For `X-MongoDB-Service-Version`: 40 hex digits and a plain version. */
  readonly version: { readonly gitHash: string; readonly versionString: string };
}

/**
 * One API. The server registers it in a context of its own, below each of its prefixes, in this order for every request,
 * unknown paths below the prefix included: credentials (`schemes`), access list, body (size, type, JSON), handler.
 */
export interface Facade {
  /** For logs and metrics: `atlas-v2`. */
  readonly name: string;
  /** Without a slash at the end: `/api/atlas/v2`. */
  readonly prefix: string;
  /** Other prefixes that mean the same; rewritten to `prefix` before routing. */
  readonly aliases?: readonly string[];
  /** Paths below the prefix are lower-cased and double slashes collapsed before routing: register lower-case routes. */
  readonly caseInsensitive?: boolean;
  /** Tried in this order, each only when its credentials are on the request; a challenge is sent for `digest` alone. */
  readonly schemes: readonly AuthScheme[];
  /** For which methods a key's access list counts; `writes`: all but GET and HEAD. An empty list never refuses. */
  readonly accessList: 'always' | 'writes';
  /** True for content types (lower-case, without parameters; '' when none was sent) whose body is JSON. An empty body always passes as `undefined`. */
  acceptsJson(contentType: string): boolean;
  /** Routes (as registered, relative to the prefix) that only read though their method is POST: not written into the audit. */
  readonly readingRoutes?: readonly string[];
  /**
   * Registers routes relative to the prefix. A route that needs no credentials says `config: { open: true }`.
   * Handlers throw LeafvaultError (services, facade's own) and leave the rest to `presentFailure`.
   */
  register(app: FastifyInstance, context: FacadeContext): void | Promise<void>;
  /** The one way out for everything that goes wrong below the prefix. Must not throw. */
  presentFailure(failure: Failure, request: FastifyRequest, context: FacadeContext): FailureAnswer;
}

export interface FailureAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text goes out as it is (set its content type), anything else as compact JSON with `application/json`. */
  readonly body: unknown;
}

/** What can go wrong, before any wire form. */
export type Failure =
  | AuthFailure
  /** No route for this method and path below the prefix. Credentials were good. */
  | { readonly kind: 'routeNotFound' }
  /** More than 1 MiB. */
  | { readonly kind: 'bodyTooLarge'; readonly limitBytes: number }
  | { readonly kind: 'bodyNotJson'; readonly detail: string }
  | { readonly kind: 'contentTypeRefused'; readonly contentType: string }
  /** Malformed at the level of HTTP: bad percent encoding, aborted upload, schema refused by Fastify. */
  | { readonly kind: 'badRequest'; readonly detail: string }
  /** Thrown on purpose by a service or the facade itself. */
  | { readonly kind: 'error'; readonly error: LeafvaultError }
  /** Anything else: logged with this id, told to nobody. */
  | { readonly kind: 'internal'; readonly requestId: string };

export type AuthFailure =
  /**
   * `missing`: no credentials of a known scheme. `invalid`: unknown key, wrong secret, altered or used nonce, malformed header.
   * `stale`: right answer to an expired nonce. `expired`: session or access token that lived too long, or was never ours.
   * `headers` must be sent as they are: `www-authenticate` where the facade knows digest.
   */
  | { readonly kind: 'unauthenticated'; readonly reason: 'missing' | 'invalid' | 'stale' | 'expired'; readonly scheme: AuthScheme | null; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'addressRefused'; readonly address: string; readonly principal: Principal };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Needs no credentials; `principalOf` throws there. */
    open?: boolean;
  }
  interface FastifyRequest {
    /** Set before the body is read; null on open routes. */
    principal: Principal | null;
    /** The credential that proved it, for `logout` and `revoke`; null for digest and on open routes. */
    sessionToken: string | null;
    /** Where the request changes something, for paths that name no project. */
    changes: readonly Change[] | null;
    /** What the audit keeps as outcome where a failure is told inside a body that answers 200. */
    auditStatus: number | null;
    /** Of the event that was written before the handler was begun; null before that, and where nothing may be changed. */
    auditId: number | null;
  }
}

/** A place that a request changes, or would have. */
export interface Change { readonly projectId: string; readonly clusterName: string | null }

/** For the audit, before roles are asked for: a refusal belongs there as well. */
export function noteChange(request: FastifyRequest, change: Change): void {
  const known = request.changes ?? [];
  if (!known.some(({ projectId, clusterName }) => projectId === change.projectId && clusterName === change.clusterName)) request.changes = [...known, change];
}

/** Who is asking. For handlers behind credentials. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error(`No principal on ${request.method} ${request.routeOptions.url ?? ''}: the route is open`);
  return request.principal;
}
