// Repositories, snapshots and stores for tests.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../src/foundation/ids.ts';
import {
  openOrInitRepository, type OpenOptions, type Repository, type RepositoryReader, type RepositoryWriter, type SnapshotRoot,
} from '../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';

export const MASTER_KEY = Buffer.alloc(32, 7);

/** A folder that `use` may fill; removed when it succeeds, kept for a look when it fails. */
export async function withTempDir<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-repository-'));
  const result = await use(folder);
  await rm(folder, { recursive: true, force: true });
  return result;
}

/** Opens, or makes, with small packs and without threads: fast, and every step in a known order. */
export async function openTestRepository(storage: Storage, options: Partial<OpenOptions> = {}): Promise<Repository> {
  const opened = await openOrInitRepository({
    storage, masterKey: MASTER_KEY, tempDir: join(tmpdir(), 'leafvault-test-index'), threads: 0, packBytes: 64 * 1024,
    retry: { attempts: 3, firstDelayMs: 1 }, ...options,
  });
  return opened.repository;
}

/** Entry name to the chunks of its list `data`, in order. */
export type Content = Readonly<Record<string, readonly Buffer[]>>;

/** Random, incompressible chunks. */
export function randomChunks(count: number, bytes: number): Buffer[] {
  return Array.from({ length: count }, () => randomBytes(bytes));
}

/** Ids of chunks that were stored, by their bytes, and what a chunk is near to. */
export interface Near {
  readonly ids: Map<string, Buffer>;
  /** Bytes of another chunk, which may have been stored before. */
  of(chunk: Buffer): Buffer | null;
}

/** Writes chunks as deltas of those that they are near to, where that pays. */
export function nearTo(of: Near['of']): Near {
  return { ids: new Map(), of };
}

/** @param near left out: every chunk is stored full */
export async function writeEntries(writer: RepositoryWriter, content: Content, near?: Near): Promise<void> {
  const hint = (chunk: Buffer) => (): Buffer | null => near?.ids.get(near.of(chunk)?.toString('latin1') ?? '') ?? null;
  for (const [name, chunks] of Object.entries(content)) {
    const list = writer.openList();
    const refs = await Promise.all(chunks.map((chunk) => writer.putChunk(chunk, 1, near === undefined ? {} : { base: hint(chunk) })));
    if (near !== undefined) refs.forEach(({ id }, i) => near.ids.set(chunks[i]?.toString('latin1') ?? '', id));
    for (const ref of refs) await list.append(ref);
    await writer.addEntry({ name, body: { of: name }, lists: { data: await list.finish() } });
  }
}

/** Writes and commits; aborts where that fails. */
export async function writeSnapshot(repository: Repository, content: Content, id: string = newId(), near?: Near): Promise<SnapshotRoot> {
  const writer = await repository.openWriter();
  try {
    await writeEntries(writer, content, near);
    return await writer.commit({ id, createdAt: new Date().toISOString(), series: 'test', body: { entries: Object.keys(content).length } });
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

export async function readSnapshot(repository: Repository, root: SnapshotRoot): Promise<Content> {
  const reader = await repository.openReader();
  try {
    return await readContent(reader, root);
  } finally {
    await reader.close();
  }
}

export async function readContent(reader: RepositoryReader, root: SnapshotRoot): Promise<Content> {
  const content: Record<string, Buffer[]> = {};
  for await (const entry of reader.entries(root)) {
    const list = entry.lists['data'];
    content[entry.name] = list === undefined ? [] : (await collect(reader.chunks(list))).map(({ raw }) => raw);
  }
  return content;
}

/** All objects of one store, put into a fresh one in memory. */
export async function copyToMemory(from: Storage, change: (name: string, bytes: Buffer) => Buffer | null = (_name, bytes) => bytes): Promise<Storage> {
  const to = createMemoryStorage();
  for await (const { name } of from.list('')) {
    const bytes = change(name, await from.get(name));
    if (bytes !== null) await to.put(name, bytes);
  }
  return to;
}

export async function objectNames(storage: Storage): Promise<string[]> {
  return (await collect(storage.list(''))).map(({ name }) => name).sort();
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
