// The key that a person keeps; everything else hangs on it.
import { LeafvaultError } from '../foundation/errors.ts';

/** @throws REPOSITORY_KEY_WRONG unless it has 32 bytes */
export function assertMasterKey(masterKey: Uint8Array): void {
  if (masterKey.length === 32) return;
  throw new LeafvaultError('REPOSITORY_KEY_WRONG', `Using the master key failed: it has ${masterKey.length} bytes, 32 are due`, {
    hint: 'Give the master key that `leafvault` made for this repository, unchanged',
  });
}
