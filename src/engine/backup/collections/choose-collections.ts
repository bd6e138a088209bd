// What of the catalog becomes part of a snapshot, and as what.
import { takes, takesAllOf } from '../../../domain/namespace-selection.ts';
import type { CaptureOptions, EntryKind } from '../../contracts.ts';
import { isScratchDatabase, joinNamespace, PLAN_DB, timeSeriesOf } from '../../mongo/index.ts';
import { isTemporary, type Catalog, type CatalogCollection } from './catalog.ts';

export interface ChosenCollection {
  readonly collection: CatalogCollection;
  readonly kind: EntryKind;
  /** The name that people use; of a time series, not that of its buckets. */
  readonly name: string;
}

export interface ChoiceRules {
  readonly selection: CaptureOptions['selection'];
  /** `db.collection` of collections that a restore is building, or keeps for an undo. */
  readonly shadows: ReadonlySet<string>;
  /** Also what a server has for a while only, of databases that are taken whole: behind T1 it may take any name there. */
  readonly temporaries?: boolean;
}

/** Everything that has documents of its own; views are read from `system.views` at the end. */
export function chooseCollections(catalog: Catalog, rules: ChoiceRules): readonly ChosenCollection[] {
  const chosen: ChosenCollection[] = [];
  for (const collection of catalog.values()) {
    const kind = kindOf(collection);
    if (kind === null || (isTemporary(collection) && !(rules.temporaries === true && takesAllOf(rules.selection, collection.db)))) continue;
    const name = timeSeriesOf(collection.name) ?? collection.name;
    const names = [joinNamespace(collection.db, collection.name), joinNamespace(collection.db, name)];
    if (names.some((each) => rules.shadows.has(each))) continue;
    if (!takes(rules.selection, collection.db, name)) continue;
    chosen.push({ collection, kind, name });
  }
  return chosen;
}

/** True for what can be part of a snapshot, under this or another name. */
export function isCapturable(collection: CatalogCollection): boolean {
  return kindOf(collection) !== null;
}

/** Null: the servers' or Leafvault's own. */
function kindOf({ db, name }: CatalogCollection): EntryKind | null {
  if (db === 'local' || db === 'config' || db === PLAN_DB || isScratchDatabase(db)) return null;
  if (db === 'admin' && name === 'system.users') return 'users';
  if (db === 'admin' && name === 'system.roles') return 'roles';
  if (timeSeriesOf(name) !== null) return 'timeseries';
  return name.startsWith('system.') && name !== 'system.js' ? null : 'collection';
}
