// Our own API, for the console and for scripts. Mounted like the APIs of the field, with the same credentials and roles.
import { STATUS_CODES } from 'node:http';
import type { Facade, Failure, FailureAnswer } from '../facade.ts';
import { mountOperations, type AnswerMark, type Operation, type ProjectCall } from '../wire/mms-routes.ts';
import { readId } from '../wire/read-id.ts';
import type { Answer } from '../wire/answer.ts';
import { CONSOLE_STATUS } from './errors.ts';
import { presentContinuous } from './present-continuous.ts';

const PREFIX = '/api/leafvault/v1';
const MARK: AnswerMark = { contentType: 'application/json', version: '', headers: {} };

export const CONSOLE_OPERATIONS: readonly Operation[] = [
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId/continuous', roles: ['GROUP_READ_ONLY'], handle: getContinuous },
];

export const consoleApi: Facade = {
  name: 'leafvault-v1',
  prefix: PREFIX,
  schemes: ['digest', 'bearer', 'authtoken'],
  accessList: 'always',
  acceptsJson: (contentType) => contentType === 'application/json',
  register(app, context) {
    mountOperations(app, context, { prefix: PREFIX, mark: () => MARK }, CONSOLE_OPERATIONS);
  },
  presentFailure: (failure) => presentFailure(failure),
};

async function getContinuous({ services, project, params }: ProjectCall): Promise<Answer> {
  const cluster = await services.inventory.clusterById(project.id, readId('cluster', params['clusterId']));
  return { kind: 'one', body: presentContinuous(await services.continuous.status(cluster)) };
}

function presentFailure(failure: Failure): FailureAnswer {
  switch (failure.kind) {
    case 'unauthenticated': return answer(401, 'UNAUTHENTICATED', 'Send the credentials of an API key, a service account or a session');
    case 'addressRefused': return answer(403, 'ADDRESS_REFUSED', `The access list of this credential does not hold ${failure.address}`);
    case 'routeNotFound': return answer(404, 'ROUTE_NOT_FOUND', 'Nothing is served at this path');
    case 'bodyTooLarge': return answer(413, 'BODY_TOO_LARGE', `The body has more than ${failure.limitBytes} bytes`);
    case 'bodyNotJson': return answer(400, 'BODY_NOT_JSON', failure.detail);
    case 'contentTypeRefused': return answer(415, 'CONTENT_TYPE_REFUSED', `Send application/json, not ${failure.contentType}`);
    case 'badRequest': return answer(400, 'BAD_REQUEST', failure.detail);
    case 'internal': return answer(500, 'INTERNAL', `Unexpected failure, see request ${failure.requestId} in the log`);
    case 'error': {
      const { code, message, details, hint, retryable } = failure.error;
      const status = CONSOLE_STATUS[code];
      // What is not meant for a door is not told; the log has it.
      if (status === undefined) return retryable ? answer(503, 'UNAVAILABLE', 'Not available now; ask again soon') : answer(500, 'INTERNAL', 'Unexpected failure, see the log');
      return answer(status, code, message, { details, ...(hint === undefined ? {} : { hint }) });
    }
  }
}

function answer(status: number, code: string, message: string, more: object = {}): FailureAnswer {
  return { status, body: { error: status, reason: STATUS_CODES[status], code, message, ...more } };
}
