// Dumps: whole or not there, whatever happens between two calls of the store.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import type { Dump, Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { createFaultyStorage, FAULT_MODES, isOutlived, ODD_MODES, type FaultMode } from '../../support/faulty-storage.ts';
import { collect, copyToMemory, objectNames, openTestRepository, writeSnapshot } from '../../support/repository-fixture.ts';

const PARTS = [Buffer.from('one\n'.repeat(500)), randomBytes(3_000), Buffer.from('end\n')];

async function* parts(): AsyncGenerator<Buffer> {
  yield* PARTS;
}

async function read(repository: Repository, { id }: Dump): Promise<readonly Buffer[]> {
  return collect(repository.dumps.read(id));
}

describe('a dump', () => {
  test('is read as it was written, newest first, and is no more once it is trimmed', async () => {
    const storage = createMemoryStorage();
    const clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
    const repository = await openTestRepository(storage, { clock });
    const first = await repository.dumps.write(parts(), () => ({ n: 1 }));
    clock.advance(1_000);
    const second = await repository.dumps.write(parts(), () => ({ n: 2 }));
    assert.deepEqual((await repository.dumps.list()).map(({ body }) => body['n']), [2, 1]);
    assert.deepEqual(await read(repository, first), PARTS);
    const bytes = await storage.get(`catalog/${first.id}/0000000001`);
    assert.ok(bytes.length < 500 && !bytes.includes('one'), 'compressed and sealed');
    const gone = await repository.dumps.trim(({ id }) => id === second.id);
    assert.deepEqual([gone.dumps, gone.leavings, gone.stuck], [[first.id], [], []]);
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('catalog/') && !name.includes(second.id)), []);
    await assert.rejects(read(repository, first), { code: 'REPOSITORY_DUMP_MISSING' });
    assert.deepEqual(await read(repository, second), PARTS);
  });

  test('whose source fails halfway is none, and its parts go with the next trimming', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    await assert.rejects(repository.dumps.write((async function* () {
      yield PARTS[0]!;
      throw new Error('the catalog went away');
    })(), () => ({})), /went away/);
    assert.deepEqual(await repository.dumps.list(), []);
    assert.equal((await repository.dumps.trim(() => true)).leavings.length, 1);
    assert.deepEqual((await objectNames(storage)).filter((name) => /^catalog\/.*\/\d+$/.test(name)), []);
  });

  test('under way is left alone by a trimming; one whose session is gone can never be ended', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    const meanwhile = async (act: () => Promise<void>): Promise<Dump> => repository.dumps.write((async function* () {
      yield PARTS[0]!;
      await act();
      yield PARTS[1]!;
    })(), () => ({}));
    const whole = await meanwhile(async () => assert.deepEqual((await repository.dumps.trim(() => true)).leavings, []));
    assert.equal(whole.parts, 2);
    await assert.rejects(meanwhile(async () => {
      for (const name of await objectNames(storage)) if (name.startsWith('sessions/')) await storage.delete(name);
      await repository.dumps.trim(() => true);
    }), { code: 'REPOSITORY_DUMP_FENCED' });
    assert.deepEqual((await repository.dumps.list()).map(({ id }) => id), [whole.id]);
    assert.deepEqual((await repository.check()).problems, []);
  });

  test('that the store does not let go stays whole, or is none, and costs the others nothing', async () => {
    const storage = createMemoryStorage();
    const locked: Storage = {
      ...storage,
      async delete(name) {
        if (name.startsWith('catalog/')) throw new LeafvaultError('STORAGE_LOCKED', 'The object is locked');
        return storage.delete(name);
      },
    };
    const repository = await openTestRepository(locked);
    const dump = await repository.dumps.write(parts(), () => ({}));
    assert.deepEqual((await repository.dumps.trim(() => false)).stuck, [`catalog/${dump.id}/manifest`]);
    assert.deepEqual(await read(repository, dump), PARTS);
  });

  test('with an altered, swapped or missing part, or manifest, is named by a check and never read as whole', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    await writeSnapshot(repository, { a: [randomBytes(100)] });
    const old = await repository.dumps.write(parts(), () => ({}));
    const dump = await repository.dumps.write(parts(), () => ({}));
    for (const [from, change] of [
      [`catalog/${dump.id}/0000000002`, (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 60), Buffer.from([bytes[60]! ^ 1]), bytes.subarray(61)])],
      [`catalog/${dump.id}/0000000002`, () => null],
      [`catalog/${dump.id}/0000000002`, async () => storage.get(`catalog/${dump.id}/0000000001`)],
      [`catalog/${old.id}/0000000003`, () => null],
      [`catalog/${dump.id}/manifest`, (bytes: Buffer) => bytes.subarray(0, 70)],
    ] as const) {
      const replacement = await change(await storage.get(from));
      const copy = await copyToMemory(storage, (name, bytes) => (name === from ? replacement : bytes));
      const damaged = await openTestRepository(copy);
      const { problems } = await damaged.check({ readData: true });
      assert.deepEqual(problems.map(({ object }) => object), [from], from);
      assert.equal((await damaged.check()).problems.length, 1, from);
      await assert.rejects(read(damaged, from.includes(old.id) ? old : dump), /REPOSITORY|failed/);
      await damaged.close();
    }
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
  });
});

describe('dumping and trimming that are struck', () => {
  for (const mode of [...FAULT_MODES, ...ODD_MODES]) {
    test(`at any call leave a whole dump or none, and the next ones end the work (${mode})`, async (context) => {
      let call = 1;
      for (; await strikeAt(call, mode); call += 1);
      context.diagnostic(`${call - 1} calls`);
      assert.ok(call > (ODD_MODES.includes(mode) ? 3 : 15), `only ${call - 1} calls were struck`);
    });
  }

  async function strikeAt(call: number, mode: FaultMode): Promise<boolean> {
    const storage: Storage = createMemoryStorage();
    const sound = await openTestRepository(storage);
    const first = await sound.dumps.write(parts(), () => ({ n: 1 }));
    await assert.rejects(sound.dumps.write((async function* () {
      yield PARTS[0]!;
      throw new Error('left halfway');
    })(), () => ({})));
    const faulty = createFaultyStorage(storage, call, mode);
    let made: Dump | null = null;
    const done = await (async () => {
      const repository = await openTestRepository(faulty);
      made = await repository.dumps.write(parts(), () => ({ n: 2 }));
      await repository.dumps.trim(({ id }) => id === made?.id);
      await repository.close();
    })().then(() => true, () => false);
    if (!faulty.struck) return false;
    if (isOutlived(mode)) assert.equal(done, true, `call ${call}: a try that may be repeated was given up`);
    if (call % 2 === 0) await faulty.arrive();
    const unreadable: string[] = [];
    const whole = await sound.dumps.list({ onUnreadable: (object) => unreadable.push(object) });
    assert.ok(whole.length > 0, `call ${call}: there always is a dump`);
    assert.ok(whole.some(({ id }) => id === (made ?? first).id), `call ${call}: one that was said to be there is`);
    for (const dump of whole) assert.deepEqual(await read(sound, dump), PARTS, `call ${call}`);
    const { problems } = await sound.check({ readData: true });
    // A store that tears is worse than a store may be: what is torn is named.
    if (mode === 'tear') assert.ok(problems.length <= 1, `call ${call}: ${JSON.stringify(problems)}`);
    else assert.deepEqual([problems, unreadable], [[], []], `call ${call}`);
    if (mode === 'tear') return true;
    await faulty.arrive();
    await sound.prune({ isOver: () => true });
    const last = await sound.dumps.write(parts(), () => ({ n: 3 }));
    await sound.dumps.trim(({ id }) => id === last.id);
    const left = (await objectNames(storage)).filter((name) => name.startsWith('catalog/') && !name.includes(last.id));
    assert.deepEqual(left.filter((name) => !name.endsWith('/manifest')), [], `call ${call}: only fences stay`);
    assert.deepEqual((await sound.dumps.list()).map(({ id }) => id), [last.id], `call ${call}`);
    return true;
  }
});
