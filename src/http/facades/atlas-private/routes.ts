// The one path of Atlas's private API that its clients need: the address that the server sees them come from. What else is below
// `/api/private` is left open: clients ask for some of it without credentials and go on after a 404.
import type { Facade } from '../../facade.ts';
import { ATLAS_ERROR_TABLE, ATLAS_FAILURE_TABLE } from '../../wire/atlas/errors.ts';
import { limitRate } from '../../wire/atlas/limit-rate.ts';
import { getIpInfo } from '../../wire/atlas/system/handlers.ts';
import { presentMmsFailure } from '../../wire/mms-failure.ts';
import { mountOperations, type AnswerMark, type Operation } from '../../wire/mms-routes.ts';

const PREFIX = '/api/private/ipinfo';
const MARK: AnswerMark = { contentType: 'application/json', version: '', headers: {} };
const TABLES = { errors: ATLAS_ERROR_TABLE, failures: ATLAS_FAILURE_TABLE };

export const ATLAS_PRIVATE_OPERATIONS: readonly Operation[] = [{ method: 'GET', path: '/', roles: null, handle: getIpInfo }];

export const atlasPrivate: Facade = {
  name: 'atlas-private',
  prefix: PREFIX,
  schemes: ['digest', 'bearer'],
  accessList: 'always',
  acceptsJson: (contentType) => contentType === 'application/json',
  register(app, context) {
    limitRate(app, context);
    mountOperations(app, context, { prefix: PREFIX, mark: () => MARK }, ATLAS_PRIVATE_OPERATIONS);
  },
  presentFailure: (failure, request) => presentMmsFailure(failure, request, TABLES),
};
