// Our codes to the body and status of Atlas v1.0: the rows that all versions of Atlas share.
import { ATLAS_ERROR_TABLE, ATLAS_FAILURE_TABLE } from '../../wire/atlas/errors.ts';

export const ATLAS_V1_TABLES = { errors: ATLAS_ERROR_TABLE, failures: ATLAS_FAILURE_TABLE };
