// The real server with all APIs of the field over services in memory, and short words to ask it.
import { createLogger } from '../../src/foundation/logger.ts';
import { facades } from '../../src/http/facades/index.ts';
import { buildServer, type HttpServer } from '../../src/http/index.ts';
import type { RoleGrant } from '../../src/domain/roles.ts';
import { digestAnswer, nonceOf } from './digest-client.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { memoryServices, ORG_ID, SHOP_ID, type MemoryWorld } from './memory-services.ts';

export const ORIGIN = 'http://leafvault.test';

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** Parsed text; undefined when there is none or it is no JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface FacadeServer extends MemoryWorld {
  readonly server: HttpServer;
  /** The services' own state, for what can be changed. */
  readonly world: MemoryWorld;
  readonly clock: FakeClock;
  /** Bearer token of an organization owner. */
  readonly owner: string;
  /**
   * Asks as the owner unless told otherwise by an `authorization` header. Where only digest is known, a bearer token of ours becomes the
   * digest answer of its key.
   */
  ask(path: string, asked?: Asked): Promise<Told>;
  /** The same with the media type of Atlas v2. */
  atlas(path: string, asked?: Asked & { readonly version?: string }): Promise<Told>;
  /** The same with Commvault's token of a user. */
  commvault(path: string, asked?: Asked): Promise<Told>;
  close(): Promise<void>;
}

export async function startFacades(): Promise<FacadeServer> {
  const clock = fakeClock(new Date('2026-03-01T12:00:00.250Z'));
  const world = memoryServices(clock, () => ORIGIN);
  const server = await buildServer({
    services: world.services, facades, log: createLogger('silent'), clock, publicUrl: ORIGIN,
    version: { gitHash: 'a'.repeat(40), versionString: '0.1.0' },
  });
  const owner = await world.grant('ownerkey', [{ role: 'ORG_OWNER', orgId: ORG_ID }]);
  const session = await world.identity.openSession({ kind: 'user', id: '5f00000000000000000000aa', name: 'admin', orgId: ORG_ID, grants: [{ role: 'ORG_OWNER', orgId: ORG_ID }] });
  const credentialsFor = async (path: string, method: string, authorization: string): Promise<string> => {
    const name = world.identity.bearers.get(authorization.replace('Bearer ', ''))?.principal.name;
    if (name === undefined || !path.startsWith('/api/public/')) return authorization;
    const { headers } = await server.app.inject({ url: path });
    return digestAnswer(nonceOf(String(headers['www-authenticate'])), { username: name, password: `private-of-${name}`, uri: path, method });
  };
  const ask: FacadeServer['ask'] = async (path, { method = 'GET', body, headers: { authorization = `Bearer ${owner}`, ...headers } = {} } = {}) => {
    const isText = typeof body === 'string';
    const answer = await server.app.inject({
      method, url: path,
      headers: {
        authorization: await credentialsFor(path, method, authorization),
        ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: isText ? body : JSON.stringify(body) }),
    });
    return { status: answer.statusCode, headers: answer.headers as Record<string, string | undefined>, text: answer.body, json: parsed(answer.body) };
  };
  return {
    ...world, world, server, clock, owner, ask,
    get lastSelection() { return world.lastSelection; },
    atlas: (path, { version = '2023-01-01', headers = {}, ...asked } = {}) =>
      ask(`/api/atlas/v2${path}`, { ...asked, headers: { accept: `application/vnd.atlas.${version}+json`, ...headers } }),
    commvault: (path, { headers = {}, ...asked } = {}) => ask(`/commandcenter/api${path}`, { ...asked, headers: { authorization: '', authtoken: `QSDK ${session}`, ...headers } }),
    close: () => server.close(0),
  };
}

/** A bearer header of a fresh key with one role in the project `shop`. */
export async function roleHeader(facade: Pick<FacadeServer, 'grant'>, role: RoleGrant['role']): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await facade.grant(`key-${role}-${Math.random()}`, [{ role, projectId: SHOP_ID }])}` };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
