// The store that fails strikes as its modes say: else the tests that rest on it prove nothing.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { createFaultyStorage, FAULT_MODES, isOutlived, ODD_MODES, strikeInTurn, type FaultMode, type FaultyStorage } from './faulty-storage.ts';
import { collect, objectNames } from './repository-fixture.ts';

const RETRYABLE = { code: 'STORAGE_FAILED', retryable: true };
const DEAD = { code: 'STORAGE_FAILED', retryable: false };

/** Strikes the second put of `a`, `b`, `c`, …, or what the mode counts. */
function storeOf(mode: FaultMode, failAt = 2): { readonly inner: Storage; readonly faulty: FaultyStorage; readonly put: (...names: readonly string[]) => Promise<void>; readonly names: () => Promise<string[]> } {
  const inner = createMemoryStorage();
  const faulty = createFaultyStorage(inner, failAt, mode);
  return { inner, faulty, names: () => objectNames(inner), async put(...names) { for (const name of names) await faulty.put(name, Buffer.from(name)); } };
}

describe('a store that fails at one call', () => {
  test('is dead from the call on, which did not happen, happened unheard, or was torn', async () => {
    for (const [mode, left] of [['stop', null], ['stop after', 'bb'], ['tear', 'b'], ['stop, late', null]] as const) {
      const { inner, faulty, put } = storeOf(mode);
      await put('a');
      await assert.rejects(faulty.put('b', Buffer.from('bb')), DEAD);
      assert.equal(await inner.get('b').then(String, () => null), left, mode);
      for (const dead of [() => put('c'), () => faulty.get('a'), () => faulty.stat('a'), () => faulty.delete('a'), () => collect(faulty.list(''))]) await assert.rejects(dead, DEAD, mode);
      assert.equal(faulty.struck, true);
    }
  });

  test('says once that trying again may help, where the call did not happen and where it did', async () => {
    for (const [mode, left] of [['fail once', ['a']], ['lose answer', ['a', 'b']]] as const) {
      const { put, names } = storeOf(mode);
      await put('a');
      await assert.rejects(put('b'), RETRYABLE);
      assert.deepEqual(await names(), left, mode);
      await put('c');
    }
  });

  test('carries a write out twice: a put is told that its name is taken, a delete goes well', async () => {
    const { faulty, put, names } = storeOf('twice');
    await put('a');
    await assert.rejects(put('b'), { code: 'STORAGE_OBJECT_EXISTS' });
    assert.deepEqual([await names(), faulty.struck], [['a', 'b'], true]);
    await put('c');
    const deleting = storeOf('twice', 3);
    await deleting.put('a', 'b');
    await deleting.faulty.delete('a');
    assert.deepEqual([await deleting.names(), deleting.faulty.struck], [['b'], true]);
  });

  test('carries a late write out with the fourth call behind it, of whatever kind, before that', async () => {
    const { faulty, put, names } = storeOf('late');
    await put('a');
    await assert.rejects(put('b'), RETRYABLE);
    await put('c');
    await faulty.get('a');
    await collect(faulty.list(''));
    assert.deepEqual(await names(), ['a', 'c']);
    assert.equal((await faulty.stat('b'))?.sizeBytes, 1);
    assert.deepEqual(await names(), ['a', 'b', 'c']);
  });

  test('carries the last write out when all is over, once, also of a process that died, with the bytes and without the signal that it was given', async () => {
    for (const mode of ['late', 'last', 'stop, late'] as const) {
      const { inner, faulty, put, names } = storeOf(mode);
      await put('a');
      const [bytes, ending] = [Buffer.from('sent'), new AbortController()];
      await assert.rejects(faulty.put('b', bytes, { signal: ending.signal }), { code: 'STORAGE_FAILED' });
      bytes.fill(0);
      ending.abort();
      assert.deepEqual(await names(), ['a'], mode);
      await faulty.arrive();
      assert.equal(String(await inner.get('b')), 'sent', mode);
      await inner.delete('b');
      await faulty.arrive();
      assert.deepEqual(await names(), ['a'], mode);
    }
  });

  test('lets a last write wait for as many calls as come, and find its name taken without a word', async () => {
    const { inner, faulty, put } = storeOf('last');
    await put('a');
    await assert.rejects(put('b'), RETRYABLE);
    for (let call = 0; call < 20; call += 1) assert.equal(await faulty.stat('b'), null);
    await faulty.put('b', Buffer.from('second try'));
    await faulty.arrive();
    assert.equal(String(await inner.get('b')), 'second try');
  });

  test('takes away late what was put anew meanwhile', async () => {
    const { faulty, put, names } = storeOf('last', 2);
    await put('a');
    await assert.rejects(faulty.delete('a'), RETRYABLE);
    assert.deepEqual(await names(), ['a']);
    await faulty.delete('a');
    await put('a');
    await faulty.arrive();
    assert.deepEqual(await names(), []);
  });

  test('counts writes alone, or lists alone, where the mode is of these', async () => {
    for (const mode of [...FAULT_MODES, ...ODD_MODES]) {
      const { faulty, put } = storeOf(mode, 0);
      await put('a', 'b');
      await faulty.get('a');
      await faulty.stat('a');
      await collect(faulty.list(''));
      await faulty.delete('a');
      const counted = FAULT_MODES.includes(mode) ? 6 : mode === 'other order' || mode === 'break off' ? 1 : 3;
      assert.deepEqual([faulty.calls, faulty.struck], [counted, false], mode);
    }
  });

  test('gives the names of one list in another order, and those of the others as they come', async () => {
    const { inner, faulty, put } = storeOf('other order');
    await put('a', 'b', 'c', 'd', 'e', 'f');
    const list = async (of: Storage): Promise<string> => (await collect(of.list(''))).map(({ name }) => name).join('');
    assert.equal(await list(inner), 'abcdef');
    assert.equal(await list(faulty), 'abcdef');
    assert.equal(await list(faulty), 'faebdc');
    assert.equal(await list(faulty), 'abcdef');
  });

  test('breaks one list off behind half of its names, also a list of none', async () => {
    for (const [objects, before] of [[5, 3], [1, 1], [0, 0]] as const) {
      const { faulty, put } = storeOf('break off', 1);
      await put(...['a', 'b', 'c', 'd', 'e'].slice(0, objects));
      const found: string[] = [];
      await assert.rejects(async () => { for await (const { name } of faulty.list('')) found.push(name); }, RETRYABLE);
      assert.equal(found.length, before);
      assert.equal((await collect(faulty.list(''))).length, objects);
    }
  });

  test('says which modes work has to outlive: those in which no process dies and each answer may be had again', () => {
    assert.deepEqual([...FAULT_MODES, ...ODD_MODES].filter((mode) => !isOutlived(mode)), ['stop', 'stop after', 'tear', 'stop, late', 'break off']);
  });

  test('is struck in turn at calls until one is not reached, in every mode, and too few calls are told', async () => {
    const said: string[] = [];
    const reach = (calls: number) => {
      const struck = new Set<string>();
      return { struck, at: async (call: number, mode: FaultMode): Promise<boolean> => call <= calls && struck.add(`${mode} ${call}`) !== null };
    };
    const many = reach(20);
    await strikeInTurn({ diagnostic: (text) => said.push(text) }, ODD_MODES, 20, many.at);
    assert.deepEqual(ODD_MODES.filter((mode) => ![...many.struck].some((each) => each.startsWith(`${mode} `))), []);
    assert.match(said.join(), /calls struck/);
    const few = reach(ODD_MODES.length);
    await assert.rejects(strikeInTurn({ diagnostic: () => undefined }, ODD_MODES, 100, few.at), /too few/);
  });
});
