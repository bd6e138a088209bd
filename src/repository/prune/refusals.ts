// Why a prune takes nothing away.
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';

export const CHECK = 'Run `leafvault check` to see what it costs; a snapshot that is lost has to be deleted before anything can be pruned';

export function refused(why: string, hint: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_PRUNE_REFUSED', `Pruning was refused: ${why}`, { hint, cause });
}

/** `details.busy`: nothing is wrong, another one does it. */
export function busy(why: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_PRUNE_REFUSED', `Pruning was refused: ${why}`, {
    hint: 'Nothing was taken away; run it again when the other one is through', cause, details: { busy: true }, retryable: true,
  });
}

/** What can't be read may need anything. */
export function asRefusal(error: unknown): unknown {
  const codes = ['REPOSITORY_OBJECT_DAMAGED', 'REPOSITORY_OBJECT_MISSING', 'REPOSITORY_CHUNK_DAMAGED', 'REPOSITORY_CHUNK_MISSING', 'REPOSITORY_CHUNK_UNSUPPORTED', 'REPOSITORY_FORMAT_NEWER'];
  return isLeafvaultError(error) && codes.includes(error.code) ? refused(error.message, CHECK, error) : error;
}
