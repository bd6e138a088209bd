// Login, who am I, renewal and logout. A refused login answers 200 with `errList`; unknown tokens are never renewed.
import type { FastifyRequest } from 'fastify';
import type { Services } from '../../../services/contracts.ts';
import { plainAddress } from '../../../foundation/access-list.ts';
import { principalOf } from '../../facade.ts';
import { readBody } from '../../wire/read-body.ts';
import { parseLogin } from './parse.ts';
import { presentLogin, presentLoginRefusal } from './present.ts';
import { renewBody } from './schemas.ts';

export async function login(services: Services, request: FastifyRequest): Promise<object> {
  const { name, password } = parseLogin(request.body);
  const outcome = await services.identity.login(name, password);
  const address = plainAddress(request.ip);
  if (outcome !== null && 'principal' in outcome) {
    const { principal } = outcome;
    await services.audit.record({ principal, action: 'login', projectId: null, object: principal.name, address });
    return presentLogin(principal, await services.identity.openSession(principal));
  }
  // Refused logins are in the log alone, or anybody could fill the audit. Only a lock proves that the name is a user's:
  // any other may be a password that was typed into the wrong field.
  request.log.warn({ address, ...(outcome === null ? {} : { user: name, lockedSeconds: outcome.lockedSeconds }) }, 'login was refused');
  return presentLoginRefusal(outcome?.lockedSeconds ?? 0);
}

export async function whoAmI(services: Services, request: FastifyRequest): Promise<object> {
  const principal = principalOf(request);
  return { user: { userName: principal.name, userId: await services.numbers.numberOf('user', principal.id) } };
}

/** A living session gets a fresh token and loses the old one. */
export async function renewToken(services: Services, request: FastifyRequest): Promise<object> {
  const old = readBody(renewBody, request.body).sessionId.replace(/^QSDK\s+/i, '');
  const principal = await services.identity.readSession(old);
  if (principal === null) return { error: { errorCode: 5, errLogMessage: 'The session has expired. Log in again.' } };
  const token = await services.identity.openSession(principal);
  await services.identity.closeSession(old);
  return { token: `QSDK ${token}` };
}

export async function logout(services: Services, request: FastifyRequest): Promise<object> {
  if (request.sessionToken !== null) await services.identity.closeSession(request.sessionToken);
  return { errorCode: 0, errorMessage: '' };
}
