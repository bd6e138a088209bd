// Failures that only the driver has words for.
import { MongoError } from 'mongodb';
import { LeafvaultError } from '../../foundation/errors.ts';
import { isTransient } from '../mongo/raw-insert.ts';

/** What only the driver has words for, said as a failure of the restore. */
export function inOurWords(error: unknown, phase: string): unknown {
  if (!(error instanceof MongoError)) return error;
  return new LeafvaultError('RESTORE_TARGET_FAILED', `Restoring failed in its phase ${phase}: the target answered with an error, or not at all`, {
    cause: error, retryable: isTransient(error), hint: 'Look at the log of the target, then restore again',
  });
}
