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

/** Whether some collection of the database may be taken: one with a name for a while may get any of its database. */
export function takesSomeOf(selection: NamespaceSelection | null | undefined, db: string): boolean {
  if (selection == null) return true;
  if (selection.excluded?.databases.includes(db) === true) return false;
  return isEmpty(selection) || selection.databases.includes(db) || selection.collections.some((each) => databaseOf(each) === db);
}

/** What says so in two ways: nothing chosen, nothing excluded. */
export function takesEverything(selection: NamespaceSelection): boolean {
  return isEmpty(selection) && (selection.excluded === undefined || isEmpty(selection.excluded));
}

/**
 * What both take; null: everything.
 * @param chosen by whoever asks for the snapshot; undefined or empty: everything
 * @throws SELECTION_EMPTY where nothing is left
 */
export function narrowed(filter: NamespaceFilter | null, chosen: NamespaceList | undefined): NamespaceSelection | null {
  const { databases, collections } = chosen ?? { databases: [], collections: [] };
  const plain = { databases: [...databases], collections: [...collections] };
  if (filter === null) return isEmpty(plain) ? null : plain;
  const listed = { databases: [...filter.databases], collections: [...filter.collections] };
  if (filter.kind === 'included') return isEmpty(plain) ? listed : required(common(plain, listed));
  const left = { databases: plain.databases.filter((db) => !listed.databases.includes(db)), collections: plain.collections.filter((each) => !lists(listed, databaseOf(each), nameIn(each))) };
  return isEmpty(plain) ? { ...plain, excluded: listed } : { ...required(left), excluded: listed };
}

function common(one: NamespaceList, other: NamespaceList): NamespaceList {
  const of = (mine: NamespaceList, theirs: NamespaceList): string[] => mine.collections.filter((each) => lists(theirs, databaseOf(each), nameIn(each)));
  return { databases: one.databases.filter((db) => other.databases.includes(db)), collections: [...new Set([...of(one, other), ...of(other, one)])] };
}

function required<T extends NamespaceList>(list: T): T {
  if (!isEmpty(list)) return list;
  throw new LeafvaultError('SELECTION_EMPTY', 'Asking for a snapshot was refused: the filter of the cluster leaves out everything that was chosen', {
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
