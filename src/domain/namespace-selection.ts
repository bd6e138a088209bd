// What of a cluster a snapshot takes, and the filter that a cluster has for all of them (docs/design/backup-states.md, "Filters").
import { LeafvaultError } from '../foundation/errors.ts';

/** Databases, and collections as `db.collection`. */
export interface NamespaceList { readonly databases: readonly string[]; readonly collections: readonly string[] }

/** Both lists empty: everything, but for what is excluded. */
export interface NamespaceSelection extends NamespaceList { readonly excluded?: NamespaceList | undefined }

export interface NamespaceFilter extends NamespaceList { readonly kind: 'included' | 'excluded' }

/** Whether the namespace is taken; of a time series the name that people use. */
export function takes(selection: NamespaceSelection | null | undefined, db: string, name: string): boolean {
  if (selection == null) return true;
  if (selection.excluded !== undefined && lists(selection.excluded, db, name)) return false;
  return isEmpty(selection) || lists(selection, db, name);
}

/** Whether all of the database is taken: what has a name for a while may hold what any other of its names would. */
export function takesAllOf(selection: NamespaceSelection | null | undefined, db: string): boolean {
  if (selection == null) return true;
  const { databases, excluded = NOTHING } = selection;
  if (excluded.databases.includes(db) || excluded.collections.some((each) => databaseOf(each) === db)) return false;
  return isEmpty(selection) || databases.includes(db);
}

/** What says so in two ways: nothing chosen, nothing excluded. */
export function takesEverything(selection: NamespaceSelection): boolean {
  return isEmpty(selection) && (selection.excluded === undefined || isEmpty(selection.excluded));
}

/**
 * What both take; null: everything.
 * @param chosen by whoever asks for the snapshot; undefined or empty: everything. What it excludes stays excluded
 * @throws SELECTION_EMPTY where nothing is left
 */
export function narrowed(filter: NamespaceFilter | null, chosen: NamespaceSelection | undefined): NamespaceSelection | null {
  const { databases, collections, excluded: left } = chosen ?? NOTHING;
  const listed = filter === null ? NOTHING : { databases: filter.databases, collections: filter.collections };
  const excluded = joined(left ?? NOTHING, filter?.kind === 'excluded' ? listed : NOTHING);
  const taken = filter?.kind === 'included' ? common({ databases, collections }, listed) : { databases: [...databases], collections: [...collections] };
  const rest = { databases: taken.databases.filter((db) => !excluded.databases.includes(db)), collections: taken.collections.filter((each) => !lists(excluded, databaseOf(each), nameIn(each))) };
  const isEverything = isEmpty({ databases, collections }) && filter?.kind !== 'included';
  if (!isEverything && isEmpty(rest)) throw nothingLeft();
  if (isEmpty(excluded)) return isEverything ? null : rest;
  return { ...rest, excluded };
}

/** What a cluster with this filter is backed up as by itself; null: everything. */
export function usualSelection({ namespaceFilter }: { readonly namespaceFilter: NamespaceFilter | null }): NamespaceSelection | null {
  return narrowed(namespaceFilter, undefined);
}

const NOTHING: NamespaceSelection = { databases: [], collections: [] };

function joined(one: NamespaceList, other: NamespaceList): NamespaceList {
  return { databases: [...new Set([...one.databases, ...other.databases])], collections: [...new Set([...one.collections, ...other.collections])] };
}

/** What both list; an empty choice is everything. */
function common(chosen: NamespaceList, listed: NamespaceList): NamespaceList {
  if (isEmpty(chosen)) return { databases: [...listed.databases], collections: [...listed.collections] };
  const of = (mine: NamespaceList, theirs: NamespaceList): string[] => mine.collections.filter((each) => lists(theirs, databaseOf(each), nameIn(each)));
  return { databases: chosen.databases.filter((db) => listed.databases.includes(db)), collections: [...new Set([...of(chosen, listed), ...of(listed, chosen)])] };
}

function nothingLeft(): LeafvaultError {
  return new LeafvaultError('SELECTION_EMPTY', 'Asking for a snapshot was refused: the filter of the cluster leaves out everything that was chosen', {
    hint: 'Choose something else, or change the namespaces of the backup configuration',
  });
}

function isEmpty({ databases, collections }: NamespaceList): boolean {
  return databases.length === 0 && collections.length === 0;
}

function lists({ databases, collections }: NamespaceList, db: string, name: string): boolean {
  return databases.includes(db) || collections.includes(`${db}.${name}`);
}

function databaseOf(namespace: string): string {
  return namespace.split('.', 1)[0] ?? '';
}

function nameIn(namespace: string): string {
  return namespace.slice(databaseOf(namespace).length + 1);
}
