// Our codes to the body and status of Atlas v2: the rows that all versions of Atlas share, and those of versions.
import type { ErrorTable } from '../../wire/mms-failure.ts';
import { ATLAS_ERROR_TABLE, ATLAS_FAILURE_TABLE } from '../../wire/atlas/errors.ts';

/** Codes that this facade raises itself. */
export const ATLAS_V2_ERRORS = {
  VERSION_MISSING: 'Accept names no version. No details',
  VERSION_TOO_EARLY: 'The operation has no version as early as the one asked. details: {date}',
  VERSION_IN_FUTURE: 'The version asked lies in the future. details: {date}',
} as const;

const VERSION_ROWS: ErrorTable = {
  VERSION_MISSING: { status: 406, errorCode: 'NOT_ACCEPTABLE', detail: 'No version was specified. Send an Accept header of the form application/vnd.atlas.<yyyy-mm-dd>+json.' },
  VERSION_TOO_EARLY: { status: 406, errorCode: 'INVALID_VERSION_DATE', detail: 'There is no version of this resource as early as %s.', parameters: ({ date }) => [date] },
  VERSION_IN_FUTURE: { status: 406, errorCode: 'INVALID_VERSION_DATE', detail: 'The version %s lies in the future.', parameters: ({ date }) => [date] },
};

export const ATLAS_V2_TABLES = { errors: { ...ATLAS_ERROR_TABLE, ...VERSION_ROWS }, failures: ATLAS_FAILURE_TABLE };
