// Altered, swapped, lost, doubled and foreign objects of chains: always named, never wrong data.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import type { Repository, Slice } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, newSlice, numberName, rawsOf } from '../../support/chain-fixture.ts';
import { collect, copyToMemory, objectNames, openTestRepository } from '../../support/repository-fixture.ts';

const RAWS = [...Array.from({ length: 4 }, () => randomBytes(300)), Buffer.from('soft '.repeat(1_000))];

let sound: Storage;
let slices: readonly Slice[];
/** Ids: one ended, one goes on, and one more with the same contents as the first. */
let ended: string;
let live: string;
let other: string;

before(async () => {
  sound = createMemoryStorage();
  const repository = await openTestRepository(sound);
  const writers = [await beginChain(repository), await beginChain(repository), await beginChain(repository)] as const;
  [ended, live, other] = [writers[0].head.id, writers[1].head.id, writers[2].head.id];
  slices = await appendSlices(writers[0], RAWS);
  for (const writer of [writers[1], writers[2]]) await appendSlices(writer, RAWS);
  await writers[0].end({ reason: 'STOPPED' });
  await repository.close();
});

type Change = Parameters<typeof copyToMemory>[1];

/** Opens a changed copy. */
async function withChanged(change: Change, use: (repository: Repository, storage: Storage) => Promise<void>): Promise<void> {
  const storage = await copyToMemory(sound, change);
  const repository = await openTestRepository(storage);
  try {
    await use(repository, storage);
  } finally {
    await repository.close();
  }
}

/** A full check names exactly these, and reading gives the slices before the first of them and then its name. */
async function assertNamed(repository: Repository, chainId: string, names: readonly string[], readable: number): Promise<void> {
  const { problems } = await repository.check({ readData: true });
  assert.deepEqual(problems.map(({ object }) => object).sort(), [...names].sort());
  for (const items of [repository.chains.slices(chainId), repository.chains.read(chainId)]) {
    let given = 0;
    await assert.rejects(async () => {
      for await (const item of items) {
        const raw = 'raw' in item ? item.raw : RAWS[given];
        assert.ok(raw?.equals(RAWS[given] ?? Buffer.alloc(0)), 'what is given is right');
        given += 1;
      }
    }, (error) => isNamed(error, names, chainId));
    assert.equal(given, readable);
  }
}

/** A flip in the version of a format makes it a newer one: the only other code. */
function isNamed(error: unknown, names: readonly string[], chainId: string): boolean {
  assert.ok(error instanceof LeafvaultError, String(error));
  assert.ok(['REPOSITORY_CHAIN_BROKEN', 'REPOSITORY_FORMAT_NEWER'].includes(error.code), error.message);
  assert.ok(names.some((name) => error.message.includes(name)) && error.message.includes(chainId), error.message);
  if (error.code === 'REPOSITORY_CHAIN_BROKEN') assert.equal(error.details['chainId'], chainId);
  return true;
}

const flipped = (bytes: Buffer, at: number): Buffer => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 0x41 : byte)));

describe('a flipped byte', () => {
  const everywhere = async (name: string, chainId: string, readable: number): Promise<void> => {
    const { length } = await sound.get(name);
    const places = length < 600 ? Array.from({ length }, (_, i) => i) : Array.from({ length: 60 }, (_, i) => Math.floor((i * length) / 60));
    for (const at of [...places.filter((_, i) => i < 50 || i % 7 === 0), length - 1]) {
      await withChanged((each, bytes) => (each === name ? flipped(bytes, at) : bytes), (repository) => assertNamed(repository, chainId, [name], readable));
    }
  };
  test('in a head is named', () => everywhere(`oplog/${live}/head`, live, 0));
  test('in a slice is named, and what lies before it is given', () => everywhere(numberName(live, 3), live, 2));
  test('in an end is named', () => everywhere(`oplog/${ended}/end`, ended, 0));

  test('in a close is named by check and costs nothing', () => withChanged((name, bytes) => (name === numberName(ended, 6) ? flipped(bytes, 60) : bytes), async (repository) => {
    for (const readData of [false, true]) assert.deepEqual((await repository.check({ readData })).problems.map(({ object }) => object), [numberName(ended, 6)]);
    assert.deepEqual(await rawsOf(repository, ended), RAWS);
  }));

  test('in head, end or newest slice is named by a check without data', async () => {
    for (const name of [`oplog/${live}/head`, `oplog/${ended}/end`, numberName(live, 5)]) {
      await withChanged((each, bytes) => (each === name ? flipped(bytes, 50) : bytes), async (repository) => {
        assert.deepEqual((await repository.check()).problems.map(({ code, object, affects }) => ({ code, object, affects })), [{ code: 'REPOSITORY_OBJECT_DAMAGED', object: name, affects: [] }]);
      });
    }
  });

  test('in a head or newest slice keeps a writer from going on', async () => {
    for (const name of [`oplog/${live}/head`, numberName(live, 5)]) {
      await withChanged((each, bytes) => (each === name ? flipped(bytes, 50) : bytes), async (repository) => {
        await assert.rejects(repository.chains.resume(live), { code: 'REPOSITORY_CHAIN_BROKEN', message: new RegExp(name) });
      });
    }
  });

  test('in one head hides no other chain from a list', () => withChanged((name, bytes) => (name === `oplog/${live}/head` ? flipped(bytes, 50) : bytes), async (repository) => {
    const given: string[] = [];
    await assert.rejects(async () => {
      for await (const { head } of repository.chains.list()) given.push(head.id);
    }, { code: 'REPOSITORY_CHAIN_BROKEN', message: new RegExp(live) });
    assert.deepEqual(given.sort(), [ended, other].sort());
  }));
});

describe('slices that stand elsewhere', () => {
  test('two swapped are both named', async () => {
    const [a, b] = [numberName(live, 2), numberName(live, 4)];
    const [bytesOfA, bytesOfB] = [await sound.get(a), await sound.get(b)];
    await withChanged((name, bytes) => (name === a ? bytesOfB : name === b ? bytesOfA : bytes), (repository) => assertNamed(repository, live, [a, b], 1));
  });

  test('one doubled under the next number is named', () => withChanged(undefined, async (repository, storage) => {
    await storage.put(numberName(live, 6), await storage.get(numberName(live, 5)));
    await assertNamed(repository, live, [numberName(live, 6)], 5);
  }));

  test('one replaced by that of another chain is named', async () => {
    const foreign = await sound.get(numberName(other, 3));
    await withChanged((name, bytes) => (name === numberName(live, 3) ? foreign : bytes), (repository) => assertNamed(repository, live, [numberName(live, 3)], 2));
  });

  test('a head replaced by that of another chain is named', async () => {
    const foreign = await sound.get(`oplog/${other}/head`);
    await withChanged((name, bytes) => (name === `oplog/${live}/head` ? foreign : bytes), (repository) => assertNamed(repository, live, [`oplog/${live}/head`], 0));
  });
});

describe('lost objects', () => {
  test('a slice in the middle is named, by a writer too', async () => {
    const lost = numberName(live, 3);
    await withChanged((name, bytes) => (name === lost ? null : bytes), async (repository) => {
      assert.deepEqual((await repository.check()).problems.map(({ code, object }) => [code, object]), [['REPOSITORY_OBJECT_MISSING', lost]]);
      await assert.rejects(repository.chains.resume(live), { code: 'REPOSITORY_CHAIN_BROKEN', message: /number 3 / });
      await assertNamed(repository, live, [lost], 2);
      assert.equal((await collect(repository.chains.slices(live, { after: 4 }))).length, 1, 'what lies behind it is still read');
    });
  });

  test('the last slice of an ended chain is named', async () => {
    const lost = numberName(ended, 5);
    await withChanged((name, bytes) => (name === lost ? null : bytes), (repository) => assertNamed(repository, ended, [lost], 4));
  });

  test('all newest objects of an ended chain are named', async () => {
    const lost = [4, 5, 6].map((sequence) => numberName(ended, sequence));
    await withChanged((name, bytes) => (lost.includes(name) ? null : bytes), (repository) => assertNamed(repository, ended, lost, 3));
  });

  test('a head is named, and is not taken for a chain that never was', async () => {
    const lost = `oplog/${live}/head`;
    await withChanged((name, bytes) => (name === lost ? null : bytes), async (repository) => {
      await assertNamed(repository, live, [lost], 0);
      await assert.rejects(repository.chains.resume(live), { code: 'REPOSITORY_CHAIN_BROKEN', message: new RegExp(lost) });
    });
  });

  test('an end costs nothing: the close says the same', () => withChanged((name, bytes) => (name === `oplog/${ended}/end` ? null : bytes), async (repository) => {
    assert.deepEqual(await collect(repository.chains.slices(ended)), slices);
    await assert.rejects(repository.chains.resume(ended), { code: 'REPOSITORY_CHAIN_ENDED' });
  }));
});

describe('what lies behind the end', () => {
  test('does not count, and check names it', () => withChanged((name, bytes) => (name === numberName(ended, 6) || name === `oplog/${ended}/end` ? null : bytes), async (repository, storage) => {
    // A chain that two repositories continued, one by slices and one by its end, put together by a store that lost its fence.
    const elsewhere = await copyToMemory(storage);
    const there = await openTestRepository(elsewhere);
    await (await there.chains.resume(ended)).end({ reason: 'STOPPED' });
    await appendSlices(await repository.chains.resume(ended), [randomBytes(10), randomBytes(10)]);
    await storage.put(`oplog/${ended}/end`, await elsewhere.get(`oplog/${ended}/end`));
    assert.deepEqual(await rawsOf(repository, ended), RAWS);
    const { problems } = await repository.check();
    assert.deepEqual(problems.map(({ object }) => object).sort(), [numberName(ended, 6), numberName(ended, 7)]);
    await there.close();
  }));

  test('a name that is none of a chain is named', () => withChanged(undefined, async (repository, storage) => {
    const strays = [`oplog/${live}/3`, `oplog/${live}/0000000000`, `oplog/${live}/head.old`, 'oplog/readme'];
    for (const name of strays) await storage.put(name, Buffer.from('x'));
    assert.deepEqual((await repository.check()).problems.map(({ object }) => object).sort(), strays.sort());
    assert.deepEqual(await rawsOf(repository, live), RAWS);
    await (await repository.chains.resume(live)).append(newSlice(6));
    assert.ok((await objectNames(storage)).includes(numberName(live, 6)));
  }));
});

describe('a chain put together from pieces that are each sound', () => {
  test('is refused where a slice follows another history', async () => {
    // Two histories of one chain: the same from and to, other bytes.
    const [one, two] = [await copyToMemory(sound), await copyToMemory(sound)];
    for (const storage of [one, two]) {
      const repository = await openTestRepository(storage);
      await appendSlices(await repository.chains.resume(live), [randomBytes(50), randomBytes(50)]);
      await repository.close();
    }
    const mixed = await copyToMemory(one, (name, bytes) => (name === numberName(live, 7) ? null : bytes));
    await mixed.put(numberName(live, 7), await two.get(numberName(live, 7)));
    const repository = await openTestRepository(mixed);
    await assert.rejects(collect(repository.chains.slices(live)), { code: 'REPOSITORY_CHAIN_BROKEN', message: /number 7 .* another object/ });
    assert.deepEqual((await repository.check({ readData: true })).problems.map(({ code, object }) => [code, object]), [['REPOSITORY_CHAIN_BROKEN', numberName(live, 7)]]);
    await repository.close();
  });
});

test('a number far behind the others is told with what is missing before it, in bounded time, also by a check that reads everything', () => withChanged(undefined, async (repository, storage) => {
  await storage.put(numberName(live, 9_999_999_999), await storage.get(numberName(live, RAWS.length)));
  for (const readData of [false, true]) {
    const { problems } = await repository.check({ readData });
    const missing = problems.filter(({ code, object }) => code === 'REPOSITORY_OBJECT_MISSING' && object.startsWith(`oplog/${live}/`));
    assert.equal(missing.length, 1_000);
    assert.deepEqual(problems.filter((problem) => !missing.includes(problem)).map(({ code, object }) => [code, object]).sort(), [
      ['REPOSITORY_CHAIN_BROKEN', `oplog/${live}`], ['REPOSITORY_OBJECT_DAMAGED', numberName(live, 9_999_999_999)],
    ]);
  }
  await assert.rejects(repository.chains.resume(live), { code: 'REPOSITORY_CHAIN_BROKEN', message: /0000000006/ });
}));
