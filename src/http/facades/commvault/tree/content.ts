// Namespaces in Commvault's forms: the content of a subclient, and the items that a restore chooses.
import type { z } from 'zod';
import type { SubclientContent } from '../../../../services/contracts.ts';
import { unsupported } from '../errors.ts';
import type { contentBody } from '../schemas.ts';

/** Everything of the instance, however it is written. */
const EVERYTHING = ['', '/', '\\', '*', '/*'];

/** No child: everything for `default`, nothing for any other. */
export function presentContent({ databases, collections }: SubclientContent): object {
  const child = (type: 'DATABASE' | 'COLLECTION') => (name: string): object => ({
    type, name, displayName: name, path: pathOf(name), allOrAnyChildren: true, negation: false,
  });
  return { children: [...databases.map(child('DATABASE')), ...collections.map(child('COLLECTION'))] };
}

/** @throws TASK_UNSUPPORTED for what is left out, and for everything */
export function parseContent({ children = [] }: z.infer<typeof contentBody>): SubclientContent {
  const names = children.map(({ path, name, displayName, negation = false }) => {
    if (negation) throw unsupported('Content that is left out');
    const told = [path, name, displayName].find((each) => each !== undefined && each !== '') ?? '';
    if (EVERYTHING.includes(told)) throw unsupported('Content that is everything, which the subclient default is,');
    return told;
  });
  return sortNames(names);
}

/** What a restore chooses: nothing where one of the items is everything. An empty one says nothing. */
export function parseItems(items: readonly string[]): SubclientContent {
  const told = items.filter((each) => each !== '');
  return sortNames(told.some((each) => EVERYTHING.includes(each)) ? [] : told);
}

/** `/db/collection`, `db/collection` and `db.collection` mean one; a database has no dot in its name. Empty: the root. */
export function namespaceAt(path: string): string {
  const plain = path.replace(/^[/\\]+/, '').replace(/[/\\]$/, '');
  const slash = plain.search(/[/\\]/);
  const dot = plain.indexOf('.');
  return slash !== -1 && (dot === -1 || slash < dot) ? `${plain.slice(0, slash)}.${plain.slice(slash + 1)}` : plain;
}

/** The path of a database, or of `db.collection`. */
export function pathOf(namespace: string): string {
  return `/${namespace.replace('.', '/')}`;
}

function sortNames(names: readonly string[]): SubclientContent {
  const namespaces = names.map(namespaceAt);
  return { databases: namespaces.filter((name) => !name.includes('.')), collections: namespaces.filter((name) => name.includes('.')) };
}
