// Atlas Admin API v1.0, and of v1.5 what it had beside it: the operations of before v2's first new date, for clients that are older. Plain JSON
// without versions: each answers in the form that one date of v2 has.
import type { Facade } from '../../facade.ts';
import { limitRate } from '../../wire/atlas/limit-rate.ts';
import { ATLAS_OPERATIONS } from '../../wire/atlas/operations/operations.ts';
import { CLUSTER_DELETE, CLUSTER_WRITES, CLUSTERS, COMPLIANCE_REMOVAL, type VersionedOperation } from '../../wire/atlas/operations/versions.ts';
import { presentMmsFailure } from '../../wire/mms-failure.ts';
import { mountOperations, type Operation } from '../../wire/mms-routes.ts';
import { ATLAS_V1_TABLES } from './errors.ts';

/** The date of v2 in whose form v1.0 answers. */
export const V1_FORM = '2023-01-01';
/** The same of v1.5: clusters in shards and regions. */
export const V1_5_FORM = '2023-02-01';

/** A policy could be ended in v1.0 before v2 had a date for it. */
export const ATLAS_V1_OPERATIONS: readonly Operation[] = ATLAS_OPERATIONS.filter(({ versions }) => versions[0].date === V1_FORM || versions === COMPLIANCE_REMOVAL).map(withoutVersions);

export const ATLAS_V1_5_OPERATIONS: readonly Operation[] = ATLAS_OPERATIONS.filter(({ versions }) => [CLUSTERS, CLUSTER_WRITES, CLUSTER_DELETE].includes(versions)).map(withoutVersions);

export const atlasV1 = plainAtlas('atlas-v1', '/api/atlas/v1.0', { operations: ATLAS_V1_OPERATIONS, form: V1_FORM });

export const atlasV15 = plainAtlas('atlas-v1.5', '/api/atlas/v1.5', { operations: ATLAS_V1_5_OPERATIONS, form: V1_5_FORM });

function plainAtlas(name: string, prefix: string, { operations, form }: { readonly operations: readonly Operation[]; readonly form: string }): Facade {
  return {
    name,
    prefix,
    schemes: ['digest', 'bearer'],
    accessList: 'always',
    acceptsJson: (contentType) => contentType === 'application/json',
    register(app, context) {
      limitRate(app, context);
      mountOperations(app, context, { prefix, mark: () => ({ contentType: 'application/json', version: form, headers: {} }) }, operations);
    },
    presentFailure: (failure, request) => presentMmsFailure(failure, request, ATLAS_V1_TABLES),
  };
}

function withoutVersions({ versions: _, ...operation }: VersionedOperation): Operation {
  return operation as Operation;
}
