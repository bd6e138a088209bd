// Which entries of a snapshot a restore takes, and under which names.
import { takes, type NamespaceSelection } from '../../domain/namespace-selection.ts';
import type { RestoreSelection } from '../../domain/records.ts';
import type { SnapshotBody } from '../contracts.ts';
import type { CollectionEntry } from '../snapshot/index.ts';
import { isScratchDatabase, PLAN_DB, splitNamespace } from '../mongo/namespaces.ts';

export interface SelectedEntry {
  readonly entry: CollectionEntry;
  /** Where it goes on the target. */
  readonly db: string;
  readonly name: string;
}

/** True when nothing was chosen: the whole cluster. Renames alone choose what they rename. */
export function isWholeCluster(selection: RestoreSelection): boolean {
  return selection.databases.length === 0 && selection.collections.length === 0 && selection.renames.length === 0;
}

/** True for an entry of this namespace. Users and roles belong to the whole cluster only. */
export function isSelected(selection: RestoreSelection, db: string, name: string): boolean {
  if (db === PLAN_DB || isScratchDatabase(db)) return false;
  if (isWholeCluster(selection)) return true;
  const namespace = `${db}.${name}`;
  if (selection.databases.includes(db) || selection.collections.includes(namespace)) return true;
  if (selection.databases.length > 0 || selection.collections.length > 0) return false;
  return selection.renames.some(({ from }) => from === db || from === namespace);
}

/** What the capture was told to take, as the root says it; undefined where it does not. */
export function capturedSelection({ selection, narrowedSelection }: Pick<SnapshotBody, 'selection' | 'narrowedSelection'>): NamespaceSelection | undefined {
  return narrowedSelection ?? selection;
}

/**
 * True for a namespace that the capture was told to take, so that its absence in the snapshot means that it was not
 * there. A snapshot that doesn't say what it was told to take says nothing about what it lacks.
 */
export function covers(captured: NamespaceSelection | undefined, db: string, name: string): boolean {
  return captured !== undefined && takes(captured, db, name);
}

/** The target's name for a namespace: a rename of the collection comes before one of its database; suffixes come behind both. */
export function renamed(selection: RestoreSelection, db: string, name: string): { readonly db: string; readonly name: string } {
  const place = renamedAlone(selection, db, name);
  const { database = '', collection = '' } = selection.suffixes ?? {};
  return { db: `${place.db}${database}`, name: `${place.name}${collection}` };
}

function renamedAlone(selection: RestoreSelection, db: string, name: string): { readonly db: string; readonly name: string } {
  const exact = selection.renames.find(({ from }) => from === `${db}.${name}`);
  if (exact !== undefined) return splitNamespace(exact.to);
  const database = selection.renames.find(({ from }) => from === db);
  return { db: database?.to ?? db, name };
}

/** What was chosen but is not in the snapshot, each in words. */
export function missingChoices(selection: RestoreSelection, entries: readonly CollectionEntry[]): string[] {
  const databases = new Set(entries.map(({ body }) => body.db));
  const namespaces = new Set(entries.map(({ namespace }) => namespace));
  const asked = [...selection.databases, ...selection.collections, ...selection.renames.map(({ from }) => from)];
  return [...new Set(asked)].filter((name) => !(name.includes('.') ? namespaces : databases).has(name));
}
