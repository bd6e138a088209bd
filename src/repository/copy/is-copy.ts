// What keeps everybody but a copier from writing to a copy.
import { LeafvaultError } from '../../foundation/errors.ts';

/** REPOSITORY_IS_COPY */
export function isCopyError(address: string): LeafvaultError {
  return new LeafvaultError('REPOSITORY_IS_COPY', `Writing to the repository in ${address} was refused: it is a copy, and only \`leafvault copy\` writes there`, {
    hint: 'Write to the store that it is a copy of; what rotted in the copy is mended by `leafvault copy --read-data`; when that one is lost, take the copy into use with `leafvault copy --promote`',
  });
}
