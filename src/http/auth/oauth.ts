// `/api/oauth`: access tokens for service accounts by client credentials, and their revocation (RFC 6749, RFC 7009).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { plainAddress } from '../../foundation/access-list.ts';
import type { Audit, AuditedRequest, Identity } from '../../services/contracts.ts';
import { contentTypeOf } from '../body.ts';
import { readClientCredentials, readForm } from './client-credentials.ts';

const FORM_LIMIT_BYTES = 16 * 1024;

/** Error codes of RFC 6749 section 5.2 that can come from here. */
type OauthCode = 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'server_error';

interface OauthServices {
  readonly identity: Pick<Identity, 'serviceAccount' | 'issueBearer' | 'readBearer' | 'revokeBearer'>;
  readonly audit: Pick<Audit, 'begin' | 'settle'>;
}

/** A plugin for `buildServer`. */
export function oauthDoor({ identity, audit }: OauthServices): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    await app.register(async (scope) => {
      parseForms(scope);
      scope.setErrorHandler((error: { statusCode?: number }, request, reply) => {
        const status = error.statusCode ?? 500;
        if (status >= 500) request.log.error({ err: error, door: 'oauth' }, 'request failed');
        return refuse(reply, status, status >= 500 ? 'server_error' : 'invalid_request', status >= 500 ? 'Unexpected failure' : 'The request cannot be read');
      });
      scope.post('/token', async (request, reply) => giveToken(identity, request, reply));
      scope.post('/revoke', async (request, reply) => revokeToken({ identity, audit }, request, reply));
    }, { prefix: '/api/oauth' });
  };
}

async function giveToken(identity: Pick<Identity, 'serviceAccount' | 'issueBearer'>, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const form = formOf(request);
  if (form === null) return refuse(reply, 400, 'invalid_request', 'The body is not a form, or names a field twice');
  const grantType = form.get('grant_type');
  if (grantType === undefined) return refuse(reply, 400, 'invalid_request', 'The field grant_type is missing');
  if (grantType !== 'client_credentials') return refuse(reply, 400, 'unsupported_grant_type', 'Only client_credentials is supported');
  const account = await proveClient(identity, request, form, reply);
  if (account === null) return reply;
  const { token, expiresInSeconds } = await identity.issueBearer(account.principal);
  return answer(reply, 200, { access_token: token, expires_in: expiresInSeconds, token_type: 'Bearer' });
}

/** 200 whether the token was known or not (RFC 7009 section 2.2). */
async function revokeToken({ identity, audit }: OauthServices, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const form = formOf(request);
  if (form === null) return refuse(reply, 400, 'invalid_request', 'The body is not a form, or names a field twice');
  const account = await proveClient(identity, request, form, reply);
  if (account === null) return reply;
  const token = form.get('token');
  if (token === undefined) return refuse(reply, 400, 'invalid_request', 'The field token is missing');
  const owner = (await identity.readBearer(token))?.principal;
  const revoke = (): Promise<void> => identity.revokeBearer(token);
  // One that is over, was revoked or never was ours opens nothing: there is no change to tell of.
  if (owner === undefined) await revoke();
  else await audited(audit, request, { principal: account.principal, action: 'oauth POST /revoke', projectId: null, object: owner.name, address: plainAddress(request.ip) }, revoke);
  return answer(reply, 200, {});
}

/** Written before it is done, as any change (docs/decisions/0019-audit-before-the-change.md); what fails in between leaves an event without an outcome. */
async function audited(audit: OauthServices['audit'], request: FastifyRequest, event: AuditedRequest, change: () => Promise<void>): Promise<void> {
  const details = { requestId: request.id };
  const id = await audit.begin({ ...event, details });
  await change();
  await audit.settle(id, [{ ...event, details: { ...details, status: 200 } }]).catch((error: unknown) => {
    request.log.error({ err: error, door: 'oauth' }, 'outcome of an audit event was not stored');
  });
}

async function proveClient(
  identity: Pick<Identity, 'serviceAccount'>, request: FastifyRequest, form: ReadonlyMap<string, string>, reply: FastifyReply,
): Promise<Awaited<ReturnType<Identity['serviceAccount']>>> {
  const credentials = readClientCredentials(request.headers.authorization, form);
  if (credentials === 'twice') {
    refuse(reply, 400, 'invalid_request', 'Credentials were sent in the header and in the body');
    return null;
  }
  const account = credentials === null ? null : await identity.serviceAccount(credentials.clientId, credentials.clientSecret);
  if (account === null) {
    void reply.header('www-authenticate', 'Basic realm="Leafvault"');
    refuse(reply, 401, 'invalid_client', 'The client is unknown or its secret is wrong');
  }
  return account;
}

function parseForms(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: FORM_LIMIT_BYTES }, (_request, body, done) => done(null, body));
}

function formOf(request: FastifyRequest): ReadonlyMap<string, string> | null {
  const isForm = contentTypeOf(request) === 'application/x-www-form-urlencoded';
  return isForm && typeof request.body === 'string' ? readForm(request.body) : null;
}

function refuse(reply: FastifyReply, status: number, error: OauthCode, description: string): FastifyReply {
  return answer(reply, status, { error, error_description: description });
}

function answer(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').header('pragma', 'no-cache')
    .header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)));
}
