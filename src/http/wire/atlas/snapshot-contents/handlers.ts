// Databases and collections inside a snapshot.
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readId } from '../../read-id.ts';
import { sourceOf } from '../inventory/handlers.ts';

export async function listDatabases(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.contents.databases(await sourceOf(call), snapshotIdOf(call), page);
  return { kind: 'list', page, totalCount, results: items.map(presentName) };
}

export async function getDatabase(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentName(await call.services.contents.database(await sourceOf(call), snapshotIdOf(call), call.params['databaseName'] ?? '')) };
}

export async function listCollections(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.contents.collections(await sourceOf(call), snapshotIdOf(call), call.params['databaseName'] ?? '', page);
  return { kind: 'list', page, totalCount, results: items.map(presentName) };
}

export async function getCollection(call: ProjectCall): Promise<Answer> {
  const name = { database: call.params['databaseName'] ?? '', collection: call.params['collectionName'] ?? '' };
  return { kind: 'one', body: presentName(await call.services.contents.collection(await sourceOf(call), snapshotIdOf(call), name)) };
}

function snapshotIdOf({ params }: ProjectCall): string {
  return readId('snapshot', params['snapshotId']);
}

function presentName(name: string): object {
  return { name };
}
