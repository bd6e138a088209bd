// A source with everything that a copier may meet, and what must be true of its copy at every moment.
import assert from 'node:assert/strict';
import type { CopyOptions, CopyReport, Repository } from '../../src/repository/index.ts';
import { newId } from '../../src/foundation/ids.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { createVariants } from './delta-fixture.ts';
import { collect, objectNames, openTestRepository, randomChunks, readSnapshot, writeSnapshot, type Content } from './repository-fixture.ts';

export const PACKS = { packBytes: 24 * 1024 };
export const isOver = (): boolean => true;
const position = (n: number): string => n.toString(16).padStart(16, '0');

export interface Source {
  readonly storage: Storage;
  readonly repository: Repository;
  /** By id of the snapshot; also of those that were deleted, as long as they may be in a copy. */
  readonly contents: Map<string, Content>;
  readonly live: Set<string>;
}

const { near, vary } = createVariants();

export async function makeSource(storage: Storage = createMemoryStorage()): Promise<Source> {
  const repository = await openTestRepository(storage, PACKS);
  const source: Source = { storage, repository, contents: new Map(), live: new Set() };
  const shared = randomChunks(10, 2_000);
  await add(source, { a: shared, b: randomChunks(12, 2_000) });
  // Deltas: what they rest on is needed by them alone once the first snapshot is gone.
  await add(source, { a: shared.map((chunk) => vary(chunk)), c: randomChunks(12, 2_000) });
  const chain = await repository.chains.begin({ series: 's', from: position(0), body: {} });
  for (let n = 1; n <= 4; n += 1) await chain.append({ to: position(n), records: 1, raw: Buffer.from(`slice ${n}`), body: {} });
  await dump(source);
  return source;
}

async function dump({ repository }: Source): Promise<void> {
  await repository.dumps.write((async function* parts() { for (const part of ['one', 'two']) yield Buffer.from(part); })(), () => ({}));
}

export async function add(source: Source, content: Content): Promise<string> {
  const { id } = await writeSnapshot(source.repository, content, newId(), near);
  await source.repository.addFact({ snapshotId: id, kind: 'about', createdAt: new Date().toISOString(), body: {} });
  source.contents.set(id, content);
  source.live.add(id);
  return id;
}

/** Goes on as an installation does: a snapshot goes and is pruned, a new one comes, the front of the chain goes, the chain ends. */
export async function goOn(source: Source, { slices = 4, isOver: takenForDead = isOver }: { readonly slices?: number; readonly isOver?: () => boolean } = {}): Promise<void> {
  const [oldest] = source.live;
  assert.ok(oldest);
  await source.repository.addFact({ snapshotId: oldest, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  source.live.delete(oldest);
  await add(source, { a: randomChunks(3, 2_000), d: randomChunks(10, 2_000) });
  for (let rounds = 0; rounds < 3; rounds += 1) await source.repository.prune({ isOver: takenForDead });
  const [old] = await source.repository.dumps.list();
  await dump(source);
  await source.repository.dumps.trim(({ id }) => id !== old?.id);
  const [chain] = await collect(source.repository.chains.list());
  assert.ok(chain);
  const { head } = chain;
  const writer = await source.repository.chains.resume(head.id);
  for (let n = 5; n < 5 + slices; n += 1) await writer.append({ to: position(n), records: 1, raw: Buffer.from(`slice ${n}`), body: {} });
  await source.repository.chains.trim(head.id, { before: position(2 + slices) });
  await writer.end({ reason: 'TEST', body: {} });
}

export async function copyTo(source: Storage, to: Storage, options: Omit<CopyOptions, 'to'> = {}): Promise<CopyReport> {
  const repository = await openTestRepository(source, PACKS);
  try {
    return await repository.copyTo({ to, isOver, ...options });
  } finally {
    await repository.close();
  }
}

/** Opens, checks clean, and has whole what it shows. @returns ids of the snapshots; null: no repository yet */
export async function assertWholeCopy(to: Storage, contents: ReadonlyMap<string, Content>, message: string): Promise<string[] | null> {
  if (!(await objectNames(to)).includes('repository.json')) return null;
  const copy = await openTestRepository(to, PACKS);
  try {
    assert.equal(copy.isCopy, true, message);
    const { problems } = await copy.check({ readData: true });
    assert.deepEqual(problems, [], message);
    const roots = await collect(copy.listSnapshots());
    for (const root of roots) assert.deepEqual(await readSnapshot(copy, root), contents.get(root.id), message);
    for (const { head } of await collect(copy.chains.list())) for await (const { raw, slice } of copy.chains.read(head.id)) assert.equal(raw.toString(), `slice ${slice.sequence}`, message);
    for (const { id } of await copy.dumps.list()) assert.equal(Buffer.concat(await collect(copy.dumps.read(id))).toString(), 'onetwo', message);
    return roots.map(({ id }) => id).sort();
  } finally {
    await copy.close();
  }
}

/** Names that a copy shares with its source. */
export async function sharedNames(storage: Storage): Promise<string[]> {
  return (await objectNames(storage)).filter((name) => !/^(sessions|generations|quarantine)\/|^copy\.json$/.test(name));
}

/** The same names with the same bytes. */
export async function assertSame(source: Storage, to: Storage, message?: string): Promise<void> {
  const names = await sharedNames(source);
  assert.deepEqual(await sharedNames(to), names, message);
  for (const name of names) assert.ok((await source.get(name)).equals(await to.get(name)), name);
  assert.deepEqual((await objectNames(to)).filter((name) => /^(sessions|generations)\//.test(name)), [], message);
}
