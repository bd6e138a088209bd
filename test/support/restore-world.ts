// What restore tests share: a repository in memory, a journal in memory, options with everything filled in, and the
// content of a live server in a form that can be compared.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, type Document } from 'mongodb';
import type { RestoreJournal, RestoreOptions } from '../../src/engine/contracts.ts';
import { createRawReader, readAll } from '../../src/engine/mongo/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { newId } from '../../src/foundation/ids.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import type { Repository, RepositoryReader, SnapshotRoot } from '../../src/repository/repository.ts';

export interface MemoryJournal extends RestoreJournal {
  readonly saved: Record<string, unknown>[];
}

export function memoryJournal(): MemoryJournal {
  const saved: Record<string, unknown>[] = [];
  return {
    saved,
    load: async () => structuredClone(saved.at(-1) ?? null),
    save: async (plan) => void saved.push(structuredClone(plan) as Record<string, unknown>),
  };
}

export interface RestoreWorld extends AsyncDisposable {
  readonly options: RestoreOptions;
  readonly journal: MemoryJournal;
  readonly reader: RepositoryReader;
}

/** Options for restoring a snapshot into a server; `changes` come last. */
export async function restoreWorld(repository: Repository, root: SnapshotRoot, uri: string, changes: Partial<RestoreOptions> = {}): Promise<RestoreWorld> {
  const reader = await repository.openReader();
  const tempDir = await mkdtemp(join(tmpdir(), 'leafvault-restore-'));
  const journal = memoryJournal();
  return {
    journal,
    reader,
    options: {
      restoreId: newId(), reader, hashSeed: repository.hashSeed, root, target: { uri },
      selection: { databases: [], collections: [], renames: [] }, indexStrategy: 'ALL', usersAndRoles: false, timeSeries: 'refuse',
      oldCollections: 'drop', journal, tempDir, signal: new AbortController().signal, onProgress: () => undefined,
      log: createLogger('silent'), clock: systemClock, ...changes,
    },
    async [Symbol.asyncDispose]() {
      await reader.close();
      await rm(tempDir, { recursive: true, force: true });
    },
  };
}

/** Runs until a phase, where the worker dies: nothing more is saved, nothing is settled. */
export async function interrupted(phase: string, run: (options: RestoreOptions) => Promise<unknown>, options: RestoreOptions): Promise<void> {
  const lost = new LeafvaultError('CATALOG_LEASE_LOST', 'of the test');
  let dead = false;
  const journal: RestoreOptions['journal'] = { load: () => options.journal.load(), save: async (plan) => {
    if (dead) throw lost;
    await options.journal.save(plan);
  } };
  await assert.rejects(run({ ...options, journal, onPhase: async (name) => {
    if (name !== phase) return;
    dead = true;
    throw lost;
  } }), { code: 'CATALOG_LEASE_LOST' });
}

/** Digest of every document in natural order, options and indexes of each namespace: `db.name` to a line of text. */
export async function contentOfServer(uri: string, options: { readonly ordered?: boolean } = {}): Promise<Record<string, string>> {
  const client = new MongoClient(uri);
  const content: Record<string, string> = {};
  try {
    const reader = await createRawReader(client);
    const { databases } = await client.db('admin').command({ listDatabases: 1, nameOnly: true });
    for (const { name: db } of databases as { name: string }[]) {
      if (['admin', 'local', 'config', '__leafvault'].includes(db)) continue;
      for (const listed of await client.db(db).listCollections({}, { nameOnly: false }).toArray() as Document[]) {
        if (/^system\.(views|buckets)/.test(String(listed.name))) continue;
        content[`${db}.${listed.name}`] = await describe(reader, db, listed, options.ordered === true);
      }
    }
    return content;
  } finally {
    await client.close();
  }
}

async function describe(reader: Awaited<ReturnType<typeof createRawReader>>, db: string, listed: Document, ordered: boolean): Promise<string> {
  const name = listed.type === 'timeseries' ? `system.buckets.${listed.name}` : String(listed.name);
  const options = JSON.stringify(listed.options);
  if (listed.type === 'view') return `view ${options}`;
  const digests: string[] = [];
  for await (const raw of readAll(reader, db, { find: name, hint: { $natural: 1 } })) digests.push(createHash('sha1').update(raw).digest('hex'));
  const indexes: string[] = [];
  for await (const raw of readAll(reader, db, { listIndexes: String(listed.name) })) indexes.push(Buffer.from(raw).toString('latin1').replace(/[^\x20-\x7e]/g, '.'));
  const sum = createHash('sha1').update((ordered ? digests : digests.sort()).join()).digest('hex');
  return `${listed.type} ${digests.length} ${sum} ${options} ${indexes.sort().join(' | ')}`;
}
