// The naming rules that every kind of store shares.
import { LeafvaultError } from '../foundation/errors.ts';

const NAME = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;
const MAX_NAME_LENGTH = 512;

/** @throws STORAGE_NAME_INVALID unless `name` is segments of `[A-Za-z0-9._-]` joined with `/`, none of them `.` or `..` */
export function assertObjectName(name: string): void {
  if (isObjectName(name)) return;
  throw new LeafvaultError('STORAGE_NAME_INVALID', `The object name ${JSON.stringify(name.slice(0, 80))} is not allowed in a store`, {
    details: { name: name.slice(0, 200) },
  });
}

/** Whether a store may hold an object of this name. */
export function isObjectName(name: string): boolean {
  return NAME.test(name) && name.length <= MAX_NAME_LENGTH && !name.split('/').some((part) => part === '.' || part === '..');
}
