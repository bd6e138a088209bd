// Ids in paths.
import { isId } from '../../foundation/ids.ts';
import { LeafvaultError } from '../../foundation/errors.ts';

/** What an id in a path stands for; error tables choose their code by it. */
export type IdKind = 'group' | 'organization' | 'cluster' | 'snapshot' | 'restoreJob' | 'job' | 'checkpoint' | 'drill' | 'exportBucket' | 'export' | 'apiKey' | 'event' | 'host';

/** @throws ID_MALFORMED unless `value` is 24 lower-case hex digits. */
export function readId(kind: IdKind, value: string | undefined): string {
  if (isId(value)) return value;
  throw new LeafvaultError('ID_MALFORMED', `Reading a ${kind} id from the path failed: ${JSON.stringify(value ?? '')} is not 24 hex digits`, {
    details: { kind, value: value ?? '' },
  });
}
