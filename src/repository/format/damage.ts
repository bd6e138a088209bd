// The errors of an object that cannot be read as what its name says.
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';

/** REPOSITORY_OBJECT_DAMAGED, naming the object. */
export function damaged(name: string, reason: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_OBJECT_DAMAGED', `Reading ${name} failed: ${reason}`, {
    cause,
    details: { object: name },
    hint: 'Run `leafvault check` to see what it costs, and bring the object back from a copy of the store if there is one',
  });
}

/** REPOSITORY_FORMAT_NEWER, naming the object. @param known the newest version of such an object that is known here */
export function newerFormat(name: string, version: number, known = 1): LeafvaultError {
  return new LeafvaultError('REPOSITORY_FORMAT_NEWER', `Reading ${name} failed: it has format version ${version}, this Leafvault knows ${known}`, {
    details: { object: name, version },
    hint: 'Use the version of Leafvault that wrote it, or a newer one; if nothing newer ever ran here, the object is damaged',
  });
}

/** Whether an error says that bytes are not what they should be. */
export function isDamage(error: unknown): boolean {
  return isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED') || isLeafvaultError(error, 'REPOSITORY_FORMAT_NEWER');
}
