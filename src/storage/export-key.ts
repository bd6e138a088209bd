// Names that an export may use: any characters, but no way out of its place.
import { LeafvaultError } from '../foundation/errors.ts';

const MOST_BYTES = 1024;

/** @throws STORAGE_NAME_INVALID */
export function assertExportKey(key: string): void {
  const isPath = key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (isPath && !key.includes('\0') && Buffer.byteLength(key) <= MOST_BYTES) return;
  throw new LeafvaultError('STORAGE_NAME_INVALID', `The name ${JSON.stringify(key.slice(0, 80))} is not allowed in an export`, { details: { name: key.slice(0, 200) } });
}
