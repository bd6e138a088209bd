// Names that a target can't take: lengths, characters, two collections under one name, databases that differ in case.
import { showNamespace } from '../../mongo/namespaces.ts';
import type { SelectedEntry } from '../select-entries.ts';

const NAMESPACE_BYTES = 255;
const DATABASE_BYTES = 63;

export function nameFaults(selected: readonly SelectedEntry[], databases: readonly string[]): string[] {
  const places = selected.filter(({ entry }) => entry.body.kind !== 'users' && entry.body.kind !== 'roles');
  const faults = new Set<string>();
  const seen = new Map<string, string>();
  for (const { entry, db, name } of places) {
    const namespace = `${db}.${name}`;
    const before = seen.get(namespace);
    if (before !== undefined) faults.add(`${showNamespace(before)} and ${showNamespace(entry.namespace)} would both become ${showNamespace(namespace)}`);
    seen.set(namespace, entry.namespace);
    if (Buffer.byteLength(namespace) > NAMESPACE_BYTES) faults.add(`${showNamespace(namespace)} is longer than ${NAMESPACE_BYTES} bytes`);
    if (name === '' || name.includes('\0') || name.startsWith('.') || (name.startsWith('system.') && name !== 'system.js')) faults.add(`${showNamespace(namespace)} is no name that a collection can have`);
    for (const fault of databaseFaults(db, databases)) faults.add(fault);
  }
  for (const fault of caseFaults([...new Set(places.map(({ db }) => db))])) faults.add(fault);
  return [...faults];
}

function databaseFaults(db: string, databases: readonly string[]): string[] {
  const faults: string[] = [];
  if (db === '' || Buffer.byteLength(db) > DATABASE_BYTES || /[/\\. "$\0]/.test(db)) faults.push(`${JSON.stringify(db)} is no name that a database can have`);
  if (db === 'config' || db === 'local') faults.push(`${db} belongs to the server`);
  const other = databases.find((name) => name !== db && name.toLowerCase() === db.toLowerCase());
  if (other !== undefined && !databases.includes(db)) faults.push(`the target has a database ${other}, which differs from ${db} in case only`);
  return faults;
}

function caseFaults(databases: readonly string[]): string[] {
  return databases
    .filter((db, index) => databases.findIndex((each) => each.toLowerCase() === db.toLowerCase()) !== index)
    .map((db) => `two databases to restore are both called ${db.toLowerCase()} but for case`);
}
