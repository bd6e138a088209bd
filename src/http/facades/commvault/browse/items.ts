// What lies in a snapshot as Commvault's clients browse it: databases are folders, collections are files. And which of it a path means.
import type { SnapshotNamespace } from '../../../../services/contracts.ts';
import { namespaceAt, pathOf } from '../tree/content.ts';

export interface Item {
  readonly path: string;
  readonly name: string;
  readonly db: string;
  /** Null: a database. */
  readonly collection: string | null;
  readonly documents: number;
  /** Of BSON. */
  readonly bytes: number;
  /** Collections of a database; 0 of a collection. */
  readonly children: number;
}

/** Every database, its collections behind it. @param namespaces by database and name */
export function itemsOf(namespaces: readonly SnapshotNamespace[]): readonly Item[] {
  return [...Map.groupBy(namespaces, ({ db }) => db)].flatMap(([db, held]) => [
    {
      path: pathOf(db), name: db, db, collection: null, children: held.length,
      documents: held.reduce((sum, { documents }) => sum + documents, 0), bytes: held.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    ...held.map(({ name, documents, bytes }) => ({ path: pathOf(`${db}.${name}`), name, db, collection: name, documents, bytes, children: 0 })),
  ]);
}

/**
 * A path without wildcards means what lies in it, a collection itself; with them it means what has such a path. `**` stands for any folder.
 * @param deep with all that lies further below, and with the folder itself
 */
export function itemsAt(items: readonly Item[], path: string, deep: boolean): readonly Item[] {
  if (/[*?]/.test(path)) return items.filter(patternOf(path));
  const namespace = namespaceAt(path);
  if (namespace === '') return deep ? items : items.filter(({ collection }) => collection === null);
  const isIt = (item: Item): boolean => namespace === (item.collection === null ? item.db : `${item.db}.${item.collection}`);
  const isBelow = ({ db, collection }: Item): boolean => collection !== null && db === namespace;
  const found = items.filter((item) => isIt(item) || isBelow(item));
  return deep ? found : found.filter((item) => item.collection !== null);
}

function patternOf(path: string): (item: Item) => boolean {
  const plain = path.replace(/^[/\\]+/, '').replace(/[/\\]$/, '');
  const slash = plain.search(/[/\\]/);
  const first = slash === -1 ? plain : plain.slice(0, slash);
  const rest = slash === -1 ? null : plain.slice(slash + 1).replace(/^(\*\*[/\\])+/, '');
  if (first === '**') return ({ name }) => rest === null || fitsPattern(name, rest);
  return ({ db, collection }) => fitsPattern(db, first) && (rest === null ? collection === null : collection !== null && fitsPattern(collection, rest));
}

/** `*` is any text, `?` one character. In steps of text times pattern at most, whatever the pattern. */
export function fitsPattern(text: string, pattern: string): boolean {
  let [at, from, star, behind] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[from] === '*') [star, behind, from] = [from, at, from + 1];
    else if (from < pattern.length && (pattern[from] === '?' || pattern[from] === text[at])) [at, from] = [at + 1, from + 1];
    else if (star !== -1) [behind, at, from] = [behind + 1, behind + 1, star + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(from));
}
