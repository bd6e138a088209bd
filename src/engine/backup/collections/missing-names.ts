// Names that a snapshot was told to take and did not find.
import { LeafvaultError } from '../../../foundation/errors.ts';
import { joinNamespace, showNamespace } from '../../mongo/index.ts';
import type { CaptureOptions } from '../../contracts.ts';

const NAMED = 10;

/**
 * Databases and `db.collection` that are listed and of which nothing is there; without a list none.
 * @param taken what the snapshot holds, under the names that people use
 * @throws CAPTURE_NOTHING_SELECTED where that is nothing: an empty snapshot would pass for a backup
 */
export function missingNames(selection: CaptureOptions['selection'], taken: readonly { readonly db: string; readonly name: string }[]): readonly string[] {
  const { databases, collections } = selection ?? { databases: [], collections: [] };
  const there = new Set(taken.flatMap(({ db, name }) => [db, joinNamespace(db, name)]));
  const missing = [...databases, ...collections].filter((name) => !there.has(name));
  if (taken.length > 0 || missing.length === 0) return missing;
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  throw new LeafvaultError('CAPTURE_NOTHING_SELECTED', `Capturing failed: there is nothing of ${missing.slice(0, NAMED).map(showNamespace).join(', ')}${more}`, {
    details: { missing: missing.slice(0, NAMED) }, hint: 'Correct the namespaces of the backup configuration, or what was chosen; names are exact, also in upper and lower case',
  });
}
