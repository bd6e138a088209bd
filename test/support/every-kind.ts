// A store with an object of every kind that a repository has, and what has to be true of whatever is still read of it once it is damaged.
import assert from 'node:assert/strict';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { newId } from '../../src/foundation/ids.ts';
import { putBadCopies } from '../../src/repository/bad-copies.ts';
import { readCondemned } from '../../src/repository/generations.ts';
import { sessionEndName, snapshotName } from '../../src/repository/format/names.ts';
import { sealJson } from '../../src/repository/format/sealed-json.ts';
import { openKeySlots, type CheckProblem, type Repository } from '../../src/repository/index.ts';
import type { RepositoryKeys } from '../../src/repository/format/keys.ts';
import { unlock } from '../../src/repository/unlock.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { appendSlices, beginChain, newSlice, position } from './chain-fixture.ts';
import { createVariants } from './delta-fixture.ts';
import { steppingClock } from './fake-clock.ts';
import { collect, copyToMemory, MASTER_KEY, objectNames, openTestRepository, randomChunks, readSnapshot, writeEntries, writeSnapshot, type Content } from './repository-fixture.ts';

const PACKS = { packBytes: 16 * 1024, retry: { attempts: 1, firstDelayMs: 1 } };

export interface EveryKind {
  readonly storage: Storage;
  readonly keys: RepositoryKeys;
  readonly repositoryId: string;
  /** By id; of those that nobody deleted. */
  readonly contents: ReadonlyMap<string, Content>;
  /** Deleted, and not pruned yet. */
  readonly deleted: ReadonlyMap<string, Content>;
  /** Raw bytes of each slice, by chain. */
  readonly chains: ReadonlyMap<string, readonly (readonly [sequence: number, raw: string])[]>;
  readonly dumps: ReadonlyMap<string, string>;
  /** Kind to names: the first part of a name, and more where that tells things apart. */
  readonly kinds: ReadonlyMap<string, readonly string[]>;
}

/** What an object is, by its name alone. */
export function kindOfName(name: string): string {
  const [first = '', , last = ''] = name.split('/');
  if (first === 'oplog') return /^\d+$/.test(last) ? 'oplog/slice' : `oplog/${last.replace(/-\d+$/, '')}`;
  if (first === 'catalog') return last === 'manifest' ? 'catalog/manifest' : 'catalog/part';
  if (first === 'facts') return last.startsWith('deleted') ? 'facts/deleted' : 'facts/other';
  if (first === 'sessions') return name.endsWith('.end') ? 'sessions/end' : 'sessions/session';
  if (first === 'snapshots') return name.includes('.') ? 'snapshots/behind a fence' : 'snapshots/first place';
  return first;
}

export async function makeEveryKind(): Promise<EveryKind> {
  const storage = createMemoryStorage();
  const clock = steppingClock();
  const repository = await openTestRepository(storage, { ...PACKS, clock });
  const { keys } = await unlock(storage, MASTER_KEY);
  const contents = new Map<string, Content>();
  const { near, vary } = createVariants();
  const write = async (content: Content, id = newId()): Promise<string> => {
    await writeSnapshot(repository, content, id, near);
    contents.set(id, content);
    return id;
  };
  const shared = randomChunks(8, 1_500);
  const first: Content = { a: shared, soft: Array.from({ length: 12 }, (_, i) => Buffer.from(`record ${i} `.repeat(120))) };
  await write(first);
  await write({ a: shared.map((chunk) => vary(chunk)), b: randomChunks(40, 300) });
  const fenced = newId();
  await storage.put(snapshotName(fenced), sealJson(keys, { kind: 'snapshot', name: snapshotName(fenced) }, { id: fenced, fenced: newId() }));
  await write({ c: randomChunks(3, 1_500) }, fenced);
  for (const id of contents.keys()) await repository.addFact({ snapshotId: id, kind: 'pin', createdAt: '2026-01-01T00:00:00Z', body: { why: id } });

  // Condemned packs that a reader holds back, and a record of a copy in one of them that rotted.
  const gone = await write({ gone: randomChunks(20, 1_500) });
  const reader = await repository.openReader();
  await remove(repository, gone);
  contents.delete(gone);
  const report = await repository.prune();
  assert.ok(report.waitingBytes > 0, 'a generation stays');
  const [condemned] = (await readCondemned({ storage, keys })).packs.keys();
  await putBadCopies({ storage, keys, clock }, condemned ?? assert.fail(), ['ab'.repeat(32)]);
  const deletedContent: Content = { d: randomChunks(4, 1_500) };
  const deletedId = await write(deletedContent);
  await remove(repository, deletedId);
  contents.delete(deletedId);

  const chains = new Map<string, (readonly [number, string])[]>();
  const one = await beginChain(repository);
  await appendSlices(one, [1, 2, 3, 4, 5].map((n) => Buffer.from(`slice ${n} `.repeat(n * 20))));
  await repository.chains.trim(one.head.id, { before: position(20) });
  chains.set(one.head.id, [3, 4, 5].map((n) => [n, `slice ${n} `.repeat(n * 20)] as const));
  const two = await beginChain(repository);
  await two.append(newSlice(1, Buffer.from('only')));
  await two.end({ reason: 'STOPPED', body: {} });
  chains.set(two.head.id, [[1, 'only']]);

  const dumps = new Map<string, string>();
  for (const words of [['one', 'two'], ['three']]) {
    const { id } = await repository.dumps.write((async function* parts() { for (const part of words) yield Buffer.from(part); })(), () => ({ of: 'tests' }));
    dumps.set(id, words.join(''));
  }
  await (await openKeySlots({ storage, opener: MASTER_KEY })).addPassphrase('five words taken at random');

  // A writer at work, and one that was ended.
  const writer = await repository.openWriter();
  await writeEntries(writer, { open: randomChunks(2, 1_500) });
  const ended = newId();
  await storage.put(sessionEndName(ended), sealJson(keys, { kind: 'sessionEnd', name: sessionEndName(ended) }, { id: ended, outcome: 'fenced' }));
  const whole = await copyToMemory(storage);
  await writer.abort();
  await reader.close();
  await repository.close();
  const kinds = new Map<string, string[]>();
  for (const name of await objectNames(whole)) kinds.set(kindOfName(name), [...(kinds.get(kindOfName(name)) ?? []), name]);
  return { storage: whole, keys, repositoryId: repository.id, contents, deleted: new Map([[deletedId, deletedContent]]), chains, dumps, kinds };
}

async function remove(repository: Repository, snapshotId: string): Promise<void> {
  await repository.addFact({ snapshotId, kind: 'deleted', createdAt: '2026-01-02T00:00:00Z', body: {} });
}

/** What is still read of a store, and how that fails. */
export interface Observed {
  /** Null: it did not open. */
  readonly problems: readonly CheckProblem[] | null;
  /** Snapshots, chains, dumps that were read whole, with the right bytes. */
  readonly read: ReadonlySet<string>;
  /** What failed, by what was done. */
  readonly errors: ReadonlyMap<string, LeafvaultError>;
}

/** Does everything that anybody does with a repository. Fails where something is read that was never written, or fails otherwise than by an error of the repository's. */
export async function observe(storage: Storage, { contents, deleted, chains, dumps }: EveryKind, where: string): Promise<Observed> {
  const errors = new Map<string, LeafvaultError>();
  const read = new Set<string>();
  let problems: readonly CheckProblem[] | null = null;
  const failed = (what: string, error: unknown): void => {
    assert.ok(error instanceof LeafvaultError && error.code.startsWith('REPOSITORY_'), `${where}: ${what}: ${error instanceof Error ? error.stack : String(error)}`);
    assert.notEqual(error.code, 'REPOSITORY_WORKER_FAILED', `${where}: ${what}: ${error.message}`);
    errors.set(what, error);
  };
  const attempt = async (what: string, run: () => Promise<unknown>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      failed(what, error);
    }
  };
  const opened: Repository[] = [];
  await attempt('slots', async () => (await openKeySlots({ storage, opener: MASTER_KEY, retry: PACKS.retry })).list());
  await attempt('open', async () => opened.push(await openTestRepository(storage, PACKS)));
  const [repository] = opened;
  if (repository === undefined) return { problems, read, errors };
  try {
    await attempt('check', async () => { problems = (await repository.check({ readData: true, quarantine: true })).problems; });
    await attempt('list', async () => {
      for (const { id } of await collect(repository.listSnapshots({ onUnreadable: (object, error) => failed(`list ${object}`, error) }))) {
        assert.ok(contents.has(id) || deleted.has(id), `${where}: the snapshot ${id} was never written`);
      }
    });
    for (const [id, content] of [...contents, ...deleted]) {
      await attempt(id, async () => {
        assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(id)), content, `${where}: ${id} is not what was written`);
        read.add(id);
      });
    }
    await attempt('facts', async () => {
      for (const { snapshotId, kind, body } of await collect(repository.listFacts())) if (kind === 'pin') assert.equal(body['why'], snapshotId, where);
    });
    for (const [id, slices] of chains) {
      await attempt(id, async () => {
        const found = new Map(slices);
        for await (const { slice, raw } of repository.chains.read(id)) {
          assert.equal(raw.toString(), found.get(slice.sequence), `${where}: slice ${slice.sequence} of ${id}`);
          found.delete(slice.sequence);
        }
        if (found.size === 0) read.add(id);
      });
    }
    await attempt('chains', () => collect(repository.chains.list()));
    for (const [id, text] of dumps) {
      await attempt(id, async () => {
        assert.equal(Buffer.concat(await collect(repository.dumps.read(id))).toString(), text, `${where}: the dump ${id}`);
        read.add(id);
      });
    }
    await attempt('dumps', () => repository.dumps.list({ onUnreadable: (object, error) => failed(`dumps ${object}`, error) }));
    await attempt('prune', () => repository.prune({ dryRun: true, isOver: () => true }));
    const fresh: Content = { fresh: [...(contents.values().next().value?.['a'] ?? []), ...randomChunks(2, 1_500)] };
    await attempt('write', async () => {
      assert.deepEqual(await readSnapshot(repository, await writeSnapshot(repository, fresh)), fresh, `${where}: a new snapshot is not what was written`);
      read.add('write');
    });
  } finally {
    await repository.close();
  }
  return { problems, read, errors };
}
