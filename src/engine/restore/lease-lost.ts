// Tells the loss of a job's lease from other failures: from then on the plan belongs to another worker.
import { isLeafvaultError } from '../../foundation/errors.ts';

const CODES: readonly string[] = ['JOBS_LEASE_LOST', 'CATALOG_LEASE_LOST'];

/** True when the error, or one that caused it, says that the lease is gone. */
export function isLeaseLost(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++) {
    if (isLeafvaultError(at) && CODES.includes(at.code)) return true;
  }
  return false;
}
