// All doors over services on a real catalog and queue, asked without a socket. No worker: a test ends jobs itself.
import { Readable } from 'node:stream';
import type { Catalog } from '../../src/catalog/index.ts';
import type { Clock } from '../../src/foundation/clock.ts';
import { buildServer, consoleApi, facades, oauthDoor, type HttpServer } from '../../src/http/index.ts';
import { openPostgresQueue } from '../../src/jobs/index.ts';
import type { Services } from '../../src/services/contracts.ts';
import { applyDeclared, createServices, type DeclaredOrganization, type ServicesOptions } from '../../src/services/index.ts';
import { digestAnswer, nonceOf } from './digest-client.ts';
import { silent, type TestDatabase } from './postgres.ts';

export const ORG = '5f0000000000000000000001';
export const SHOP = '5f0000000000000000000003';
export const ORDERS = '5f0000000000000000000004';
export const COPY = '5f0000000000000000000005';
const ACCOUNT = { clientId: 'mdb_sa_id_5f0000000000000000000002', clientSecret: 'mdb_sa_sk_example' };
const KEY = { publicKey: 'abcdefgh', privateKey: '00000000-0000-4000-8000-000000000000' };

/** What leafvault.yaml says; tests change it and apply it again. */
export function declaration({ uri = 'mongodb://u:p@127.0.0.1:1/?replicaSet=rs0', continuousBackup }: { readonly uri?: string; readonly continuousBackup?: boolean } = {}): readonly DeclaredOrganization[] {
  const of = (name: string, id: string) => ({ name, id, uri, schedule: 'none' as const, ...(continuousBackup === undefined ? {} : { continuousBackup }) });
  return [{
    name: 'Example', id: ORG,
    apiKeys: [{ ...KEY, roles: ['ORG_OWNER'] }],
    serviceAccounts: [{ ...ACCOUNT, roles: ['ORG_OWNER'] }],
    users: [{ name: 'admin', password: 'change-me', roles: ['ORG_OWNER'] }],
    projects: [{ name: 'shop', id: SHOP, clusters: [of('orders', ORDERS), of('copy', COPY)] }],
  }];
}

export interface DoorAnswer { readonly status: number; readonly json: Record<string, unknown>; readonly text: string }
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RealDoors {
  readonly catalog: Catalog;
  readonly services: Services;
  /** Atlas v2, as an owner of the organization. */
  atlas(method: Method, path: string, asked?: { readonly body?: unknown; readonly version?: string }): Promise<DoorAnswer>;
  /** Any other path with a bearer token: Atlas v1.0, our own API. */
  bearer(method: Method, path: string, body?: unknown): Promise<DoorAnswer>;
  opsManager(method: Method, path: string, body?: unknown): Promise<DoorAnswer>;
  commvault(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<DoorAnswer>;
  close(): Promise<void>;
}

export async function openRealDoors(database: TestDatabase, clock: Clock, options: { readonly uri?: string } & Pick<ServicesOptions, 'openBucket' | 'readContents' | 'probe'> = {}): Promise<RealDoors> {
  const { uri, ...parts } = options;
  const catalog = await database.open({ clock });
  const queue = await openPostgresQueue({ catalog, log: silent });
  const services = createServices({
    catalog, queue, clock, secret: Buffer.alloc(32, 9), restoreDefaults: { timeSeries: 'refuse', keepHours: 0 }, baseUrl: () => 'http://leafvault.test', openArchive: () => Readable.from([Buffer.from('the archive')]),
    timelineReader: { read: () => Promise.reject(new Error('There is no chain')), find: () => Promise.reject(new Error('There is no chain')) }, ...parts,
  });
  await applyDeclared({ catalog, clock }, declaration(uri === undefined ? {} : { uri }));
  const server: HttpServer = await buildServer({
    services, facades: [...facades, consoleApi], plugins: [oauthDoor(services)], log: silent, clock, publicUrl: 'http://leafvault.test', version: { gitHash: 'b'.repeat(40), versionString: '0.1.0' },
  });
  const send = async (method: Method, url: string, headers: Readonly<Record<string, string>>, body?: unknown): Promise<DoorAnswer> => {
    const type = headers['content-type'] ?? 'application/json';
    const answer = await server.app.inject({ method, url, headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) }, ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }) });
    return { status: answer.statusCode, text: answer.body, json: jsonOf(answer.body) };
  };
  const basic = Buffer.from(`${ACCOUNT.clientId}:${ACCOUNT.clientSecret}`).toString('base64');
  let token = { text: '', until: 0 };
  // One lives an hour, and tests let days go by.
  const authorization = async (): Promise<string> => {
    if (clock.now().getTime() < token.until) return token.text;
    const { json } = await send('POST', '/api/oauth/token', { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' }, 'grant_type=client_credentials');
    token = { text: `Bearer ${String(json['access_token'])}`, until: clock.now().getTime() + 30 * 60_000 };
    return token.text;
  };
  const login = await send('POST', '/commandcenter/api/Login', {}, { username: 'admin', password: Buffer.from('change-me').toString('base64') });
  return {
    catalog, services,
    atlas: async (method, path, { body, version = '2025-03-12' } = {}) => send(method, `/api/atlas/v2${path}`, { authorization: await authorization(), accept: `application/vnd.atlas.${version}+json` }, body),
    bearer: async (method, path, body) => send(method, path, { authorization: await authorization() }, body),
    async opsManager(method, path, body) {
      const url = `/api/public/v1.0${path}`;
      const challenge = await server.app.inject({ method: 'GET', url });
      return send(method, url, { authorization: digestAnswer(nonceOf(String(challenge.headers['www-authenticate'])), { username: KEY.publicKey, password: KEY.privateKey, uri: url, method }) }, body);
    },
    commvault: (method, path, body) => send(method, `/commandcenter/api${path}`, { authtoken: String(login.json['token']) }, body),
    async close() {
      await server.close(0);
      await queue.close();
      await catalog.close();
    },
  };
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
