// Whose key signs: the SDK's own chain, from the environment, a profile, a container's endpoint, the metadata of a machine and a web identity; each played by a server of the test.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { openStorage } from '../../../src/storage/index.ts';

const NOBODY = { AWS_EC2_METADATA_DISABLED: 'true' };
const METADATA_ROLES = '/latest/meta-data/iam/security-credentials/';

describe('a store of S3 takes its credentials', { timeout: 900_000 }, () => {
  let server: Server;
  let origin: string;
  let folder: string;
  /** Of each request to the bucket: the key that signed it, and the token of a session. */
  const signed: string[] = [];
  const asked: string[] = [];
  const set: Record<string, string | undefined> = {};

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-credentials-'));
    server = createServer((request, response) => {
      const { url = '', headers } = request;
      request.resume().once('end', () => {
        if (url.startsWith('/bucket')) {
          signed.push(`${/Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1] ?? 'none'} ${String(headers['x-amz-security-token'] ?? '')}`.trim());
          response.writeHead(404).end();
          return;
        }
        asked.push(`${request.method} ${url} ${headers.authorization ?? String(headers['x-aws-ec2-metadata-token'] ?? '')}`.trim());
        const expiration = new Date(Date.now() + 3_600_000).toISOString();
        if (url === '/container') response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ AccessKeyId: 'OFCONTAINER', SecretAccessKey: 's', Token: 'session-c', Expiration: expiration }));
        else if (url === '/latest/api/token') response.writeHead(200, { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' }).end('token of the machine');
        else if (url === METADATA_ROLES) response.writeHead(200).end('backup-role');
        else if (url === `${METADATA_ROLES}backup-role`) response.writeHead(200).end(JSON.stringify({ Code: 'Success', AccessKeyId: 'OFMACHINE', SecretAccessKey: 's', Token: 'session-m', Expiration: expiration }));
        else response.writeHead(200, { 'content-type': 'text/xml' }).end(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>OFWEBIDENTITY</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>session-w</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`);
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await writeFile(join(folder, 'credentials'), '[default]\naws_access_key_id = OFDEFAULT\naws_secret_access_key = s\n\n[other]\naws_access_key_id = OFOTHER\naws_secret_access_key = s\n');
    await writeFile(join(folder, 'token'), 'a.web.token');
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => { server.close(resolve); });
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(() => {
    for (const [name, value] of Object.entries(set)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  /** Which key asks for an object, with this environment and no other of AWS. */
  const keyWith = async (environment: Readonly<Record<string, string>>, query = ''): Promise<string | undefined> => {
    for (const name of Object.keys(process.env).filter((each) => each.startsWith('AWS_'))) {
      set[name] ??= process.env[name];
      delete process.env[name];
    }
    for (const [name, value] of Object.entries({ ...NOBODY, AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'), AWS_CONFIG_FILE: join(folder, 'none'), ...environment })) {
      if (!(name in set)) set[name] = undefined;
      process.env[name] = value;
    }
    const storage = openStorage(`s3://bucket/prefix?endpoint=${encodeURIComponent(origin)}&region=us-east-1${query}`);
    try {
      assert.equal(await storage.stat('packs/00/none'), null);
      return signed.at(-1);
    } finally {
      await storage.close();
    }
  };

  test('from the environment, before all others', async () => {
    const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials') };
    assert.equal(await keyWith({ ...files, AWS_ACCESS_KEY_ID: 'OFENVIRONMENT', AWS_SECRET_ACCESS_KEY: 's' }), 'OFENVIRONMENT');
    assert.equal(await keyWith({ ...files, AWS_ACCESS_KEY_ID: 'OFENVIRONMENT', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 'session-e' }), 'OFENVIRONMENT session-e');
  });

  test('from the file of profiles: the default one, or the one of the address, also where the environment has a key', async () => {
    const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials') };
    assert.equal(await keyWith(files), 'OFDEFAULT');
    assert.equal(await keyWith(files, '&profile=other'), 'OFOTHER');
    assert.equal(await keyWith({ ...files, AWS_ACCESS_KEY_ID: 'OFENVIRONMENT', AWS_SECRET_ACCESS_KEY: 's' }, '&profile=other'), 'OFOTHER');
  });

  test('from the endpoint of a container, with its token', async () => {
    assert.equal(await keyWith({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/container`, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'let me in' }), 'OFCONTAINER session-c');
    assert.equal(asked.at(-1), 'GET /container let me in');
  });

  test("from the metadata of the machine, with the role that it has and a token for asking", async () => {
    assert.equal(await keyWith({ AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: origin }), 'OFMACHINE session-m');
    assert.deepEqual(asked.slice(-3), ['PUT /latest/api/token', `GET ${METADATA_ROLES} token of the machine`, `GET ${METADATA_ROLES}backup-role token of the machine`]);
  });

  test('from a web identity, through the service that gives keys for it', async () => {
    const environment = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/backup', AWS_ENDPOINT_URL_STS: origin, AWS_REGION: 'us-east-1' };
    assert.equal(await keyWith(environment), 'OFWEBIDENTITY session-w');
    assert.match(asked.at(-1) ?? '', /^POST \//);
  });

  test('from nowhere: then it fails by name, and asks no server', async () => {
    const before = signed.length;
    await assert.rejects(keyWith({}), (error: { code?: string }) => /^STORAGE_/.test(error.code ?? ''));
    assert.equal(signed.length, before);
  });
});
