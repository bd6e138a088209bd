// Random histories of several processes that write, read, delete, pin, let time run out, check, prune, copy, restore from the copy and die, against a
// plain model: what was committed and not deleted is whole, at every moment, in the copy too; in the end nothing stays that nobody needs.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { assertSame } from '../../support/copy-fixture.ts';
import { createFaultyStorage } from '../../support/faulty-storage.ts';
import { deltasIn } from '../../support/delta-fixture.ts';
import { collect, nearTo, objectNames, openTestRepository, readContent, writeEntries, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

const HISTORIES = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? 400 : 10;
const ACTORS = 4;
const STEPS = 14;
const PACKS = { packBytes: 8 * 1024 };

/** A small sequence of pseudo-random numbers: the same for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The chunk of that number, always the same and incompressible; its versions differ in some bytes. */
function chunkOf(number: number, version = 0): Buffer {
  const blocks = Array.from({ length: 4 + (number % 40) }, (_, i) => createHash('sha256').update(`${number} ${i}`).digest());
  const chunk = Buffer.concat(blocks);
  if (version > 0) chunk.writeUInt16LE(version, chunk.length >> 1);
  return chunk;
}

const VERSIONS = 4;
const NUMBER_OF = new Map(Array.from({ length: 150 * VERSIONS }, (_, i) => [chunkOf(i % 150, Math.floor(i / 150)).toString('latin1'), i % 150]));

/** Hands the turn on at each call, at random: calls of several actors fall between each other, are late, or come twice; lists come in any order. */
function interleaved(inner: Storage, random: (below: number) => number): Storage {
  const turn = async (): Promise<void> => {
    for (let turns = random(4); turns > 0; turns -= 1) await new Promise((resolve) => { setImmediate(resolve); });
  };
  return {
    ...inner,
    put: async (...args) => {
      await turn();
      await Promise.all([inner.put(...args), ...(random(16) === 0 ? [assert.rejects(inner.put(...args), { code: 'STORAGE_OBJECT_EXISTS' })] : [])]);
      await turn();
    },
    get: async (...args) => turn().then(() => inner.get(...args)),
    stat: async (...args) => turn().then(() => inner.stat(...args)),
    delete: async (...args) => turn().then(() => inner.delete(...args)),
    async *list(prefix) {
      await turn();
      const found = await collect(inner.list(prefix));
      for (let left = found.length; left > 0; left -= 1) yield* found.splice(random(left), 1);
    },
  };
}

/** Stands still at that call until it is woken, in the middle of what it does. */
function freezing(inner: Storage, atCall: number, woken: Promise<void>, onAsleep: () => void): Storage {
  let calls = 0;
  const pass = async (): Promise<void> => {
    calls += 1;
    if (calls !== atCall) return;
    onAsleep();
    await woken;
  };
  return {
    ...inner,
    put: async (...args) => pass().then(() => inner.put(...args)),
    get: async (...args) => pass().then(() => inner.get(...args)),
    stat: async (...args) => pass().then(() => inner.stat(...args)),
    delete: async (...args) => pass().then(() => inner.delete(...args)),
    async *list(prefix) {
      await pass();
      yield* inner.list(prefix);
    },
  };
}

interface Sleeper {
  readonly owner: string;
  /** Prunes that it sleeps through. */
  prunes: number;
  wake(): void;
  readonly ended: Promise<void>;
}

type Counts = Record<'deltas' | 'snapshots' | 'deletions' | 'pins' | 'unpins' | 'saved' | 'reads' | 'checks' | 'prunes' | 'copies' | 'restores' | 'deaths' | 'sleeps' | 'fenced' | 'refused', number>;
const NOTHING: Counts = { deltas: 0, snapshots: 0, deletions: 0, pins: 0, unpins: 0, saved: 0, reads: 0, checks: 0, prunes: 0, copies: 0, restores: 0, deaths: 0, sleeps: 0, fenced: 0, refused: 0 };
/** What a copier may be told where others are at work: nothing is wrong then. */
const COPIER_STOPS = ['REPOSITORY_BUSY', 'REPOSITORY_SESSION_FENCED', 'REPOSITORY_COPY_REFUSED'];

class History {
  readonly inner = createMemoryStorage();
  readonly copyStore = createMemoryStorage('copy');
  /** Whatever was ever committed, or may have been. */
  readonly written = new Map<string, Content>();
  readonly live = new Map<string, { readonly root: SnapshotRoot; readonly content: Content }>();
  readonly deleted = new Set<string>();
  /** Pinned; the put of some is not acknowledged yet. */
  readonly pinned = new Map<string, 'coming' | 'there'>();
  /** Deleted by whoever knows nothing of the pin: they stay until it goes. */
  readonly doomed = new Set<string>();
  /** Each decision is later than the one before. */
  decisions = 0;
  readonly dead = new Set<string>();
  /** Of them those that were not. */
  readonly mistaken = new Set<string>();
  readonly sleepers = new Set<Sleeper>();
  readonly counts: Counts = { ...NOTHING };
  readonly random: (below: number) => number;
  readonly seed: number;
  /** Any version of the same number is near. */
  readonly near = nearTo((chunk) => {
    const number = NUMBER_OF.get(chunk.toString('latin1'));
    return number === undefined ? null : chunkOf(number, this.random(VERSIONS));
  });
  constructor(seed: number) {
    this.seed = seed;
    this.random = randomOf(seed);
  }

  async run(): Promise<Counts> {
    await (await openTestRepository(this.inner, PACKS)).close();
    await Promise.all(Array.from({ length: ACTORS }, (_, actor) => this.act(`actor-${actor}`)));
    for (const { wake } of this.sleepers) wake();
    await Promise.all([...this.sleepers].map(({ ended }) => ended));
    await this.end();
    return this.counts;
  }

  async act(name: string): Promise<void> {
    let life = 0;
    let owner = '';
    const open = (): Promise<Repository> => {
      life += 1;
      owner = `${name} life ${life}`;
      return openTestRepository(interleaved(this.inner, this.random), { ...PACKS, owner });
    };
    let repository = await open();
    for (let step = 0; step < STEPS; step += 1) {
      const what = this.random(18);
      if (what < 4) await this.snapshot(repository);
      else if (what < 6) await this.remove(repository);
      else if (what < 7) await this.read(repository);
      else if (what < 8) await this.check(repository);
      else if (what < 11) await this.prune(repository);
      else if (what < 12) await this.fallAsleep(`${owner} asleep ${step}`);
      else if (what < 13) await this.retain(repository);
      else if (what < 15) await this.copy(repository);
      else if (what < 16) await this.restoreFromCopy();
      else if (what < 17) await this.pinOrUnpin(repository);
      else {
        await this.die(owner);
        await repository.close();
        repository = await open();
      }
    }
    await repository.close();
  }

  content(): Content {
    const [from, length] = [this.random(120), 5 + this.random(40)];
    const step = 1 + this.random(3);
    return { data: Array.from({ length }, (_, i) => chunkOf((from + i * step) % 150, Math.max(0, this.random(2 * VERSIONS) - VERSIONS))), own: [chunkOf(1_000 + this.random(500))] };
  }

  /** Before it is committed: a copier may be faster than the answer. */
  note(content: Content): string {
    const id = newId();
    this.written.set(id, content);
    return id;
  }

  async snapshot(repository: Repository): Promise<void> {
    const content = this.content();
    const writer = await repository.openWriter();
    try {
      await writeEntries(writer, content, this.near);
      const id = this.note(content);
      const root = await writer.commit({ id, createdAt: new Date().toISOString(), series: 'model', body: {} });
      this.live.set(root.id, { root, content });
      this.counts.snapshots += 1;
    } catch (error) {
      if (!isLeafvaultError(error, 'REPOSITORY_SESSION_FENCED')) throw error;
      this.counts.fenced += 1;
    } finally {
      await writer.abort();
    }
  }

  async remove(repository: Repository): Promise<void> {
    const ids = [...this.live.keys()].filter((each) => this.pinned.get(each) !== 'coming');
    const id = ids[this.random(ids.length)];
    if (id !== undefined && ids.length >= 3) await this.delete(repository, id);
  }

  async delete(repository: Repository, id: string): Promise<void> {
    if (this.pinned.has(id)) {
      this.doomed.add(id);
      this.counts.saved += 1;
    } else this.lose(id);
    await this.say(repository, id, 'deleted', {});
    this.counts.deletions += 1;
  }

  lose(id: string): void {
    this.deleted.add(id);
    this.live.delete(id);
  }

  async say(repository: Repository, snapshotId: string, kind: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    this.decisions += 1;
    await repository.addFact({ snapshotId, kind, createdAt: new Date(Date.UTC(2026, 0, 1) + this.decisions).toISOString(), body });
  }

  async pinOrUnpin(repository: Repository): Promise<void> {
    const there = [...this.pinned].filter(([, state]) => state === 'there').map(([id]) => id);
    const [old, fresh] = [there[this.random(there.length)], [...this.live.keys()].filter((id) => !this.pinned.has(id))];
    if (old !== undefined && this.random(2) === 0) {
      this.pinned.delete(old);
      if (this.doomed.has(old)) this.lose(old);
      this.counts.unpins += 1;
      await this.say(repository, old, 'pin', { kept: false, by: 'model' });
      return;
    }
    const id = fresh[this.random(fresh.length)];
    if (id === undefined) return;
    this.pinned.set(id, 'coming');
    await this.say(repository, id, 'pin', { kept: true, by: 'model', reason: null });
    this.pinned.set(id, 'there');
    this.counts.pins += 1;
  }

  /** Time runs out for the older half; never for the newest, and for no pinned one. */
  async retain(repository: Repository): Promise<void> {
    const ids = [...this.live.keys()].filter((id) => !this.pinned.has(id)).sort();
    for (const id of ids.length < 4 ? [] : ids.slice(0, ids.length >> 1)) if (!this.pinned.has(id)) await this.delete(repository, id);
  }

  async copy(repository: Repository, to: Storage = interleaved(this.copyStore, this.random)): Promise<void> {
    try {
      const { damaged } = await repository.copyTo({ to, isOver: ({ owner }) => this.dead.has(owner), allowEmptySource: true });
      // Who was taken for dead and woke up may have left an index of packs that went.
      if (this.mistaken.size === 0) assert.deepEqual(damaged, [], `seed ${this.seed}`);
      this.counts.copies += 1;
    } catch (error) {
      if (!isLeafvaultError(error) || !COPIER_STOPS.includes(error.code)) throw error;
      this.counts.refused += 1;
    }
  }

  /** What a copy shows it gives, whole, whatever becomes of the source meanwhile. */
  async restoreFromCopy(): Promise<void> {
    const copy = await this.openCopy();
    if (copy === null) return;
    const reader = await copy.openReader();
    try {
      const roots = await collect(copy.listSnapshots());
      const chosen = roots[this.random(Math.max(1, roots.length))];
      if (chosen === undefined) return;
      assert.deepEqual(await readContent(reader, chosen), this.written.get(chosen.id), `seed ${this.seed}: ${chosen.id} of the copy`);
      this.counts.restores += 1;
    } finally {
      await reader.close();
      await copy.close();
    }
  }

  /** null as long as there is none. */
  async openCopy(): Promise<Repository | null> {
    if ((await this.copyStore.stat('repository.json')) === null) return null;
    return openTestRepository(interleaved(this.copyStore, this.random), PACKS);
  }

  async read(repository: Repository, isEnded = (): boolean => false): Promise<void> {
    const all = [...this.live.values()];
    const chosen = all[this.random(all.length)];
    if (chosen === undefined) return;
    const reader = await repository.openReader();
    try {
      assert.deepEqual(await readContent(reader, await repository.loadSnapshot(chosen.root.id)), chosen.content, `seed ${this.seed}`);
      this.counts.reads += 1;
    } catch (error) {
      // One that was taken for dead may miss what went; it never gets anything wrong.
      if (isEnded() && isLeafvaultError(error, 'REPOSITORY_CHUNK_MISSING')) return;
      if (!isLeafvaultError(error, 'REPOSITORY_SNAPSHOT_MISSING') || !this.deleted.has(chosen.root.id)) throw error;
    } finally {
      await reader.close();
    }
  }

  async check(repository: Repository): Promise<void> {
    const { problems } = await repository.check({ readData: this.random(2) === 0 });
    // Who was taken for dead and woke up may have put an index that names packs which went meanwhile; until the next prune it is told, and costs nothing.
    const isExcused = this.mistaken.size > 0;
    const real = problems.filter(({ code, affects }) => !(isExcused && code === 'REPOSITORY_OBJECT_MISSING' && affects.length === 0));
    assert.deepEqual(real, [], `seed ${this.seed}`);
    this.counts.checks += 1;
  }

  async prune(repository: Repository): Promise<void> {
    try {
      await repository.prune({ isOver: ({ owner }) => this.dead.has(owner) });
      this.counts.prunes += 1;
      for (const sleeper of this.sleepers) {
        sleeper.prunes -= 1;
        if (sleeper.prunes === 0) sleeper.wake();
      }
    } catch (error) {
      if (!isLeafvaultError(error, 'REPOSITORY_PRUNE_REFUSED') || !/another prune/.test(error.message)) throw error;
      this.counts.refused += 1;
    }
  }

  /** Another process of the same name dies in the middle of something. */
  async die(owner: string): Promise<void> {
    const lost = `${owner} dead`;
    const storage = createFaultyStorage(interleaved(this.inner, this.random), 8 + this.random(60), this.random(2) === 0 ? 'stop' : 'stop after');
    const content = this.content();
    const id = this.note(content);
    const what = this.random(5);
    try {
      const repository = await openTestRepository(storage, { ...PACKS, owner: lost });
      if (what === 0) {
        await repository.prune({ isOver: (session) => this.dead.has(session.owner) });
      } else if (what === 1) {
        // In either store: where the source lives on, the copy's is lost.
        await repository.copyTo({ to: createFaultyStorage(interleaved(this.copyStore, this.random), 8 + this.random(90), 'stop after'), isOver: (session) => this.dead.has(session.owner), allowEmptySource: true });
      } else {
        const writer = await repository.openWriter();
        await writeEntries(writer, content, this.near);
        const root = await writer.commit({ id, createdAt: new Date().toISOString(), series: 'model', body: {} });
        this.live.set(root.id, { root, content });
      }
    } catch {
      // Its last words do not matter.
    }
    this.counts.deaths += 1;
    // What it had put at the end counts, although it could not tell.
    const root = storage.struck ? await this.rootOf(id) : null;
    if (root !== null) this.live.set(id, { root, content });
    this.dead.add(lost);
  }

  /** Another process stands still in the middle of something, is taken for dead now and then, and goes on after some prunes. */
  async fallAsleep(owner: string): Promise<void> {
    const [asleep, woken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const storage = freezing(interleaved(this.inner, this.random), 6 + this.random(40), woken.promise, asleep.resolve);
    const ended = this.sleepThrough(storage, owner).finally(asleep.resolve);
    const sleeper: Sleeper = { owner, prunes: 1 + this.random(3), wake: woken.resolve, ended };
    this.sleepers.add(sleeper);
    ended.catch(() => undefined);
    await asleep.promise;
    if (this.random(2) === 0) {
      this.dead.add(owner);
      this.mistaken.add(owner);
    }
    this.counts.sleeps += 1;
  }

  async sleepThrough(storage: Storage, owner: string): Promise<void> {
    const repository = await openTestRepository(storage, { ...PACKS, owner });
    const [what, content] = [this.random(9), this.content()];
    const id = this.note(content);
    try {
      if (what < 2) await this.read(repository, () => this.dead.has(owner));
      else if (what < 3) await repository.prune({ isOver: (session) => this.dead.has(session.owner) });
      else if (what < 4) await this.copy(repository);
      else {
        const writer = await repository.openWriter();
        try {
          await writeEntries(writer, content, this.near);
          this.live.set(id, { root: await writer.commit({ id, createdAt: new Date().toISOString(), series: 'model', body: {} }), content });
        } finally {
          await writer.abort();
        }
      }
    } catch (error) {
      if (isLeafvaultError(error, 'REPOSITORY_SESSION_FENCED')) {
        this.counts.fenced += 1;
        this.dead.delete(owner);
        // Taken again under the same id, as a job does.
        this.live.set(id, { root: await writeSnapshot(repository, content, id, this.near), content });
      } else if (!isLeafvaultError(error, 'REPOSITORY_PRUNE_REFUSED') || error.details['busy'] !== true) throw error;
    } finally {
      await repository.close();
    }
  }

  async rootOf(id: string): Promise<SnapshotRoot | null> {
    const repository = await openTestRepository(this.inner, PACKS);
    const root = await repository.loadSnapshot(id).catch(() => null);
    await repository.close();
    return root;
  }

  async end(): Promise<void> {
    const repository = await openTestRepository(this.inner, PACKS);
    for (let round = 0; round < 3; round += 1) await repository.prune({ isOver: () => true });
    const report = await repository.prune();
    assert.deepEqual([report.waitingBytes, report.freedBytes, report.rewrittenBytes], [0, 0, 0], `seed ${this.seed}: nothing is left to do`);
    const roots = (await collect(repository.listSnapshots())).map(({ id }) => id).sort();
    assert.deepEqual(roots, [...this.live.keys()].sort(), `seed ${this.seed}`);
    const reader = await repository.openReader();
    for (const { root, content } of this.live.values()) assert.deepEqual(await readContent(reader, root), content, `seed ${this.seed}`);
    await reader.close();
    assert.deepEqual((await repository.check({ readData: true })).problems, [], `seed ${this.seed}`);
    const leavings = (await objectNames(this.inner)).filter((name) => /^(?:sessions|facts)\//.test(name) && !(/^facts\/[^/]+\/pin-/.test(name) && this.live.has(name.slice(6, 30))) && !this.doomed.has(name.slice(6, 30)));
    assert.deepEqual(leavings, [], `seed ${this.seed}`);
    this.counts.deltas += (await deltasIn(this.inner)).length;
    const needed = new Map([...this.live.values()].flatMap(({ content }) => Object.values(content).flat().map((chunk) => [chunk.toString('latin1'), chunk.length])));
    const neededBytes = [...needed.values()].reduce((sum, bytes) => sum + bytes, 0);
    const bytes = (await collect(this.inner.list('packs/'))).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    assert.ok(bytes <= neededBytes / 0.75 * 1.35 + 30_000, `seed ${this.seed}: ${bytes} bytes for ${neededBytes}`);
    await this.endCopy(repository);
    await repository.close();
  }

  /** The copy is what the source is, name by name, and byte by byte. */
  async endCopy(repository: Repository): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      const { damaged, withheld, postponed } = await repository.copyTo({ to: this.copyStore, isOver: () => true, allowEmptySource: true });
      assert.deepEqual([damaged, withheld, postponed], [[], [], false], `seed ${this.seed}`);
    }
    await assertSame(this.inner, this.copyStore, `seed ${this.seed}`);
    const copy = await this.openCopy();
    assert.ok(copy);
    const reader = await copy.openReader();
    for (const root of await collect(copy.listSnapshots())) assert.deepEqual(await readContent(reader, root), this.live.get(root.id)?.content, `seed ${this.seed}`);
    await reader.close();
    assert.deepEqual((await copy.check({ readData: true })).problems, [], `seed ${this.seed}`);
    await copy.close();
  }
}

describe('random histories of several processes', () => {
  test(`agree with a plain model (${HISTORIES})`, async (context) => {
    const total: Counts = { ...NOTHING };
    for (let seed = 1; seed <= HISTORIES; seed += 1) {
      const counts = await new History(seed).run();
      for (const [key, count] of Object.entries(counts)) total[key as keyof Counts] += count;
    }
    context.diagnostic(JSON.stringify(total));
    for (const key of ['deltas', 'snapshots', 'deletions', 'pins', 'unpins', 'saved', 'reads', 'checks', 'prunes', 'copies', 'restores', 'deaths', 'sleeps', 'fenced', 'refused'] as const) assert.ok(total[key] > 0, `no ${key} at all`);
  });
});
