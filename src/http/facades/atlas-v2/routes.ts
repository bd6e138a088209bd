// Atlas Admin API v2: all operations, each with the dates of its versions.
import type { Facade } from '../../facade.ts';
import { limitRate } from '../../wire/atlas/limit-rate.ts';
import { ATLAS_OPERATIONS } from '../../wire/atlas/operations/operations.ts';
import { presentMmsFailure } from '../../wire/mms-failure.ts';
import { mountOperations } from '../../wire/mms-routes.ts';
import { ATLAS_V2_TABLES } from './errors.ts';
import { negotiateVersion } from './version.ts';

const PREFIX = '/api/atlas/v2';

export const ATLAS_V2_OPERATIONS = ATLAS_OPERATIONS;

export const atlasV2: Facade = {
  name: 'atlas-v2',
  prefix: PREFIX,
  schemes: ['digest', 'bearer'],
  accessList: 'always',
  acceptsJson: (contentType) => contentType === 'application/json' || /^application\/vnd\.atlas\.\d{4}-\d{2}-\d{2}\+json$/.test(contentType),
  register(app, context) {
    limitRate(app, context);
    mountOperations(app, context, { prefix: PREFIX, mark: (operation, request) => negotiateVersion(operation.versions, request, context.clock) }, ATLAS_V2_OPERATIONS);
  },
  presentFailure: (failure, request) => presentMmsFailure(failure, request, ATLAS_V2_TABLES),
};
