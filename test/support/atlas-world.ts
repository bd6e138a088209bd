// The APIs of Atlas over real services: a catalog on a real PostgreSQL, real digests and tokens, a real look at MongoDB servers. No worker.
import { Readable } from 'node:stream';
import type { Catalog } from '../../src/catalog/index.ts';
import { probeServer } from '../../src/engine/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { buildServer, facades, oauthDoor, type HttpServer } from '../../src/http/index.ts';
import { openPostgresQueue } from '../../src/jobs/index.ts';
import { applyDeclared, createServices } from '../../src/services/index.ts';
import { digestAnswer, nonceOf } from './digest-client.ts';
import { silent, startEmbedded } from './postgres.ts';

export const ORG = '5f0000000000000000000001';
export const SHOP = '5f0000000000000000000003';
export const OWNER: Key = { publicKey: 'abcdefgh', privateKey: '00000000-0000-4000-8000-000000000000' };

export interface Key { readonly publicKey: string; readonly privateKey: string }

export interface Said {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly text: string;
}

interface Sent {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly payload?: string;
  readonly remoteAddress?: string;
}

export interface AtlasWorld {
  readonly catalog: Catalog;
  readonly server: HttpServer;
  /** By digest with a fresh challenge, or with a bearer token; `path` below the prefix of v2, or whole. */
  say(by: Key | { readonly token: string }, method: NonNullable<Sent['method']>, path: string, options?: { readonly body?: unknown; readonly version?: string; readonly headers?: Record<string, string>; readonly from?: string }): Promise<Said>;
  /** The token endpoint with these credentials. */
  token(clientId: string, clientSecret: string): Promise<Said>;
  /** Everything that a table holds, as text. */
  dump(table: string): Promise<string>;
  close(): Promise<void>;
}

export async function openAtlasWorld(): Promise<AtlasWorld> {
  const database = await startEmbedded();
  const catalog = await database.open({ clock: systemClock });
  const queue = await openPostgresQueue({ catalog, log: silent });
  const services = createServices({
    catalog, queue, clock: systemClock, secret: Buffer.alloc(32, 9), restoreDefaults: { timeSeries: 'refuse', keepHours: 0 }, baseUrl: () => 'http://leafvault.test',
    openArchive: () => Readable.from([]), probe: probeServer,
    timelineReader: { read: () => Promise.reject(new Error('There is no chain')), find: () => Promise.reject(new Error('There is no chain')) },
  });
  await applyDeclared({ catalog, clock: systemClock }, [{ name: 'Example', id: ORG, apiKeys: [{ ...OWNER, roles: ['ORG_OWNER'] }], projects: [{ name: 'shop', id: SHOP }] }]);
  const server = await buildServer({
    services, facades, plugins: [oauthDoor(services)], log: silent, clock: systemClock, publicUrl: 'http://leafvault.test', version: { gitHash: 'c'.repeat(40), versionString: '0.1.0' },
  });
  const inject = async (request: Sent): Promise<Said & { readonly challenge: string }> => {
    const answer = await server.app.inject(request);
    return { status: answer.statusCode, text: answer.body, json: answer.body === '' ? {} : JSON.parse(answer.body) as Record<string, unknown>, challenge: String(answer.headers['www-authenticate']) };
  };
  return {
    catalog, server,
    async say(by, method, path, { body, version = '2024-08-05', headers = {}, from = '127.0.0.1' } = {}) {
      const url = path.startsWith('/api/') ? path : `/api/atlas/v2${path}`;
      const authorization = 'token' in by ? `Bearer ${by.token}` : digestAnswer(nonceOf((await inject({ url })).challenge), { username: by.publicKey, password: by.privateKey, uri: url, method });
      return inject({
        method, url, remoteAddress: from,
        headers: { authorization, accept: `application/vnd.atlas.${version}+json`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      });
    },
    token: (clientId, clientSecret) => inject({
      method: 'POST', url: '/api/oauth/token', payload: 'grant_type=client_credentials',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    }),
    dump: async (table) => JSON.stringify((await catalog.transaction((tx) => tx.executeSql(`select * from ${table}`))).rows),
    async close() {
      await server.close(0);
      await queue.close();
      await catalog.close();
      await database.stop();
    },
  };
}
