// From what the PostgreSQL client throws to our errors. Values of rows never reach a message: PostgreSQL's
// `detail` holds them, so it is left out.
import { describeError, LeafvaultError } from '../foundation/errors.ts';
import { redactUri } from '../foundation/redact.ts';

interface DatabaseError extends Error { readonly code?: string; readonly constraint?: string; readonly table?: string }

const UNREACHABLE = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EACCES',
  '57P01', '57P02', '57P03', '08000', '08001', '08003', '08004', '08006', '53300',
]);
const LOST_CONNECTION = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Connection ended/i;

/** Ours as they are; the client's wrapped with what was being done. */
export function catalogError(error: unknown, operation = 'Asking PostgreSQL'): unknown {
  if (error instanceof LeafvaultError || !(error instanceof Error)) return error;
  const { code, constraint, table } = error as DatabaseError;
  if (code !== undefined && UNREACHABLE.has(code) || LOST_CONNECTION.test(error.message) || error.name === 'AggregateError') {
    return unreachable(error, operation);
  }
  switch (code) {
    case '23505':
      return new LeafvaultError('CATALOG_DUPLICATE', `${operation} failed: a row of ${table ?? 'this table'} with this key exists (${constraint ?? 'unique'})`, {
        cause: error, details: { table, constraint },
      });
    case '23503':
      return new LeafvaultError('CATALOG_REFERENCE_MISSING', `${operation} failed: a row of ${table ?? 'this table'} refers to one that does not exist (${constraint ?? 'reference'})`, {
        cause: error, details: { table, constraint },
      });
    case '28P01': case '28000': case '3D000':
      return new LeafvaultError('CATALOG_LOGIN_REFUSED', `${operation} failed: ${redactUri(error.message)}`, {
        cause: error, hint: 'Check user, password and database name in LEAFVAULT_DATABASE_URL',
      });
    case '53100':
      return new LeafvaultError('CATALOG_DISK_FULL', `${operation} failed: no space is left where the catalog lives`, {
        cause: error, hint: 'Free space on the file system of the catalog, then try again', retryable: true,
      });
    default:
      return code === undefined ? error
        : new LeafvaultError('CATALOG_QUERY_FAILED', `${operation} failed: ${error.message} (${code})`, { cause: error, retryable: code === '40001' || code === '40P01' });
  }
}

function unreachable(error: Error, operation: string): LeafvaultError {
  const reasons = error instanceof AggregateError ? error.errors.map(describeError).join('; ') : error.message;
  return new LeafvaultError('CATALOG_UNREACHABLE', `${operation} failed: ${redactUri(reasons)}`, {
    cause: error, hint: 'Check that PostgreSQL runs and can be reached from here', retryable: true,
  });
}
