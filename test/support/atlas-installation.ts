// A whole installation behind the doors of Atlas: a real mongod, Leafvault as its users run it, a service account and a key.
import { setTimeout as delay } from 'node:timers/promises';
import { CLUSTER, PROJECT, settingsFor, startSource, type Source } from './installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from './leafvault.ts';
import { freePort } from './mongod.ts';
import { PATIENCE_MS } from './patience.ts';

export const ORGANIZATION_ID = '5f0000000000000000000001';
const ACCOUNT = { clientId: 'mdb_sa_id_5f0000000000000000000002', clientSecret: 'mdb_sa_sk_example' };
/** Where buckets of exports lie. */
const EXPORT_TARGET = '5f00000000000000000000ee';
/** Between two questions. */
const PAUSE_MS = 50;

export interface AtlasAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty where there is no JSON object. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface AtlasCall {
  readonly body?: unknown;
  /** As it is; else JSON of `body`. */
  readonly text?: string;
  /** Date of the version; null: plain JSON. */
  readonly version?: string | null;
  /** Without credentials when false. */
  readonly known?: boolean;
}

export interface AtlasInstallation extends AsyncDisposable {
  readonly origin: string;
  readonly token: string;
  readonly source: Source;
  readonly folder: LeafvaultFolder;
  /** @param path from the root of the server on */
  ask(method: string, path: string, call?: AtlasCall): Promise<AtlasAnswer>;
  /** Asks until `isOver`, and gives that answer. @throws Error when it takes too long */
  settled(path: string, isOver: (json: AtlasAnswer['json']) => boolean, version?: string): Promise<AtlasAnswer>;
}

export async function startAtlasInstallation(documents = 200): Promise<AtlasInstallation> {
  const [source, folder] = await Promise.all([startSource(documents), leafvaultFolder()]);
  let leafvault: LeafvaultProcess | undefined;
  const close = async (): Promise<void> => {
    await leafvault?.stop();
    await source[Symbol.asyncDispose]();
    await folder.remove();
  };
  try {
    leafvault = await startLeafvault({ folder, port: await freePort(), settings: settings(source.uri) });
    const { origin } = leafvault;
    const token = await tokenOf(origin);
    const ask: AtlasInstallation['ask'] = async (method, path, { body, text = body === undefined ? undefined : JSON.stringify(body), version = '2023-01-01', known = true } = {}) => {
      const type = version === null ? 'application/json' : `application/vnd.atlas.${version}+json`;
      const answer = await fetch(`${origin}${path}`, {
        method,
        headers: { accept: type, ...(known ? { authorization: `Bearer ${token}` } : {}), ...(text === undefined ? {} : { 'content-type': type }) },
        ...(text === undefined ? {} : { body: text }),
      });
      const told = await answer.text();
      return { status: answer.status, headers: answer.headers, text: told, json: parsed(told) };
    };
    const settled: AtlasInstallation['settled'] = async (path, isOver, version) => {
      let last: AtlasAnswer | undefined;
      for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await delay(PAUSE_MS)) {
        last = await ask('GET', path, version === undefined ? {} : { version });
        if (last.status === 200 && isOver(last.json)) return last;
      }
      throw new Error(`Waited ${PATIENCE_MS} ms for ${path}; the last answer was ${last?.text}`);
    };
    return { origin, token, source, folder, ask, settled, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function settings(uri: string): unknown {
  const { organizations: [organization], ...rest } = settingsFor(uri) as { readonly organizations: readonly Record<string, unknown>[] };
  return { ...rest, exportTargets: [{ name: EXPORT_TARGET, folder: './exports' }], organizations: [{ ...organization, id: ORGANIZATION_ID, serviceAccounts: [{ ...ACCOUNT, roles: ['ORG_OWNER'] }] }] };
}

async function tokenOf(origin: string): Promise<string> {
  const basic = Buffer.from(`${ACCOUNT.clientId}:${ACCOUNT.clientSecret}`).toString('base64');
  const answer = await fetch(`${origin}/api/oauth/token`, { method: 'POST', headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' }, body: 'grant_type=client_credentials' });
  const { access_token: token } = (await answer.json()) as { readonly access_token?: string };
  if (token === undefined) throw new Error(`The service account got no token: ${answer.status}`);
  return token;
}

/** Values of the parameters of paths that are there from the start. */
export const ATLAS_PARAMS: Readonly<Record<string, string>> = {
  orgId: ORGANIZATION_ID, groupId: PROJECT.id, groupName: PROJECT.name, clusterName: CLUSTER.name, name: CLUSTER.name, checkpointId: '0'.repeat(24),
  databaseName: 'shop', collectionName: 'orders', sourceNamespace: 'shop.orders', exportTarget: EXPORT_TARGET,
};

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
