// What of a snapshot a restore may name: databases, collections, and new names for them.
import type { RestoreSelection } from '../domain/records.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isStorable } from './storable.ts';

const NOTHING: RestoreSelection = { databases: [], collections: [], renames: [] };
/** Databases of the server itself: users and roles of `admin` travel on their own, the others never. */
const SYSTEM_DATABASES = ['admin', 'local', 'config'];

/** True when nothing was chosen: the whole cluster. */
export function isWhole(selection: RestoreSelection): boolean {
  return selection.databases.length === 0 && selection.collections.length === 0 && selection.renames.length === 0;
}

/**
 * The selection as it is stored. Names are only looked at for their form here; whether the snapshot holds them, and
 * whether the target can take them, is the restore's preflight.
 * @throws SELECTION_INVALID
 */
export function checkSelection(selection: RestoreSelection | undefined): RestoreSelection {
  const { databases, collections, renames, suffixes } = selection ?? NOTHING;
  for (const name of databases) if (isCollection(name)) refuse(name, 'it is no name of a database');
  for (const name of collections) if (!isCollection(name)) refuse(name, 'it is not of the form database.collection');
  for (const name of [...databases, ...collections]) checkName(name);
  for (const { from, to } of renames) {
    checkName(from);
    checkName(to);
    if (isCollection(from) !== isCollection(to)) refuse(`${from} to ${to}`, 'both have to be databases or both collections');
    if (SYSTEM_DATABASES.includes(databaseOf(to))) refuse(to, 'nothing is restored into a database of the server itself');
  }
  refuseTwice(renames.map(({ from }) => from), 'it is renamed twice');
  refuseTwice(renames.map(({ to }) => to), 'two are renamed to it');
  if (suffixes !== undefined) checkSuffixes(suffixes);
  return { databases: [...databases], collections: [...collections], renames: renames.map(({ from, to }) => ({ from, to })), ...(suffixes === undefined ? {} : { suffixes: { ...suffixes } }) };
}

function checkSuffixes({ database, collection }: NonNullable<RestoreSelection['suffixes']>): void {
  if (/[/\\. "$]/.test(database) || !isStorable(database) || Buffer.byteLength(database) > 63) refuse(database, 'no database can end in it');
  if (collection.includes('$') || !isStorable(collection) || Buffer.byteLength(collection) > 255) refuse(collection, 'no collection can end in it');
}

function isCollection(name: string): boolean {
  return name.includes('.');
}

function databaseOf(name: string): string {
  return name.split('.', 1)[0] ?? '';
}

function checkName(name: string): void {
  if (databaseOf(name) === '' || name.endsWith('.') && !name.slice(0, -1).includes('.')) refuse(name, 'a part of it is empty');
  if (!isStorable(name) || Buffer.byteLength(name) > 255) refuse(name, 'it is no name that MongoDB takes');
  if (/[/\\ "$]/.test(databaseOf(name)) || Buffer.byteLength(databaseOf(name)) > 63) refuse(name, 'its database is no name that MongoDB takes');
}

function refuseTwice(names: readonly string[], why: string): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) refuse(twice, why);
}

function refuse(value: string, why: string): never {
  throw new LeafvaultError('SELECTION_INVALID', `Restoring ${JSON.stringify(value)} was refused: ${why}`, { details: { value } });
}
