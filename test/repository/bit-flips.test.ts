// One flipped bit in an object of each kind: check names it with what it costs, nothing wrong is ever read, everything else works on, and what a
// copy can mend it mends.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { kindOfName, makeEveryKind, observe, type EveryKind, type Observed } from '../support/every-kind.ts';
import { copyToMemory, openTestRepository } from '../support/repository-fixture.ts';

const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';

/** What damage of a kind may cost, besides its name in a check. */
interface Consequence {
  /** Ids of what can't be read any more: snapshots, chains, dumps; `packs`: nothing that the check does not say. */
  readonly costs: (name: string) => readonly string[] | 'packs';
  /** Whether a prune goes on. Default: it does. */
  readonly prune?: 'refused' | 'either';
  /** Whether a copy of the store mends it. Default: it does. */
  readonly healed?: false;
}

const nothing = (): readonly string[] => [];
const ownId = (name: string): readonly string[] => [/[0-9a-f]{24}/.exec(name)?.[0] ?? ''];

const CONSEQUENCES: Readonly<Record<string, Consequence>> = {
  'snapshots/first place': { costs: (name) => (isFence(name) ? [] : ownId(name)), prune: 'either' },
  'snapshots/behind a fence': { costs: ownId, prune: 'refused' },
  packs: { costs: () => 'packs', prune: 'either' },
  // The packs know themselves what they hold; a prune builds an index anew (and refuses while a writer may still name one of its packs).
  indexes: { costs: nothing, prune: 'either' },
  'facts/other': { costs: nothing },
  'facts/deleted': { costs: nothing },
  keys: { costs: nothing },
  'sessions/session': { costs: nothing, healed: false },
  'sessions/end': { costs: nothing, healed: false },
  generations: { costs: nothing, prune: 'refused', healed: false },
  bad: { costs: nothing, healed: false },
  // Where the front was pruned, the start says what the head would.
  'oplog/head': { costs: (name) => (sound.kinds.get('oplog/from')?.some((start) => start.split('/')[1] === name.split('/')[1]) === true ? [] : ownId(name)) },
  // The close says what the end says.
  'oplog/slice': { costs: (name) => (sound.chains.get(ownId(name)[0] ?? '')?.some(([number]) => number === Number(name.slice(-10))) === true ? ownId(name) : []) },
  'oplog/end': { costs: ownId },
  'oplog/from': { costs: ownId },
  'catalog/manifest': { costs: ownId },
  'catalog/part': { costs: ownId },
};

let sound: EveryKind;
let copy: Storage;
let all: ReadonlySet<string>;
before(async () => {
  sound = await makeEveryKind();
  all = new Set([...sound.contents.keys(), ...sound.chains.keys(), ...sound.dumps.keys()]);
  copy = createMemoryStorage();
  const repository = await openTestRepository(await copyToMemory(sound.storage));
  assert.deepEqual((await repository.copyTo({ to: copy })).damaged, []);
  await repository.close();
});

const isFence = (name: string): boolean => sound.kinds.get('snapshots/behind a fence')?.some((behind) => behind.startsWith(`${name}.`)) === true;
const flipped = (bytes: Buffer, at: number, bit = 1): Buffer => {
  const other = Buffer.from(bytes);
  other[at] = (other[at] ?? 0) ^ (1 << bit);
  return other;
};
/** In the version, in the middle, in the last byte; the short form takes one of them for each object, in turn. */
const places = ({ length }: Buffer, turn?: number): readonly number[] => [4, length >> 1, length - 1].filter((_, i) => LONG || turn === undefined || i === turn % 3);
/** The short form looks at these many objects of each kind. */
const OBJECTS = LONG ? Infinity : 3;
const names = ({ problems, errors }: Observed): readonly string[] => [...(problems ?? []).map(({ object }) => object), ...[...errors.values()].map(({ details }) => String(details['object']))];

describe('a flipped bit', () => {
  test('is tried in every kind of object that there is, but for the descriptor', () => {
    assert.deepEqual(Object.keys(CONSEQUENCES).sort(), [...sound.kinds.keys()].filter((kind) => kind !== 'repository.json').sort());
  });

  for (const [kind, { costs, prune = 'done', healed = true }] of Object.entries(CONSEQUENCES)) {
    test(`in ${kind} is named, costs what it says and nothing else, ${healed ? 'and is mended from a copy' : 'and can not be mended from a copy'}`, async () => {
      for (const [turn, name] of (sound.kinds.get(kind) ?? []).slice(0, OBJECTS).entries()) {
        const bytes = await sound.storage.get(name);
        for (const at of places(bytes, turn)) {
          const where = `${name}, byte ${at} of ${bytes.length}`;
          const storage = await copyToMemory(sound.storage, (each, whole) => (each === name ? flipped(whole, at) : whole));
          const seen = await observe(storage, sound, where);
          if (kind === 'keys' && seen.problems === null) {
            assert.ok(names(seen).includes(name), `${where}: ${[...seen.errors.values()].join(', ')}`);
            continue;
          }
          assertNamed(seen, name, where);
          assertCosts(seen, name, costs(name), where);
          assert.ok(seen.read.has('write'), `${where}: ${String(seen.errors.get('write'))}`);
          if (prune !== 'either') assert.equal(seen.errors.get('prune')?.code, prune === 'refused' ? 'REPOSITORY_PRUNE_REFUSED' : undefined, `${where}: ${String(seen.errors.get('prune'))}`);
        }
        if (healed && (LONG || turn === 0)) await assertHealed(name, bytes);
      }
    });
  }

  test('in repository.json keeps everybody out by name, and a slot holds what puts it back', async () => {
    const bytes = await sound.storage.get('repository.json');
    for (const at of places(bytes)) {
      const storage = await copyToMemory(sound.storage, (name, whole) => (name === 'repository.json' ? flipped(whole, at) : whole));
      await assert.rejects(openTestRepository(storage), { code: 'REPOSITORY_OBJECT_DAMAGED', message: /repository\.json/ });
      const [slot = ''] = sound.kinds.get('keys') ?? [];
      const kept = (JSON.parse((await sound.storage.get(slot)).toString('utf8')) as { readonly repository: string }).repository;
      await storage.delete('repository.json');
      await storage.put('repository.json', Buffer.from(kept));
      assert.deepEqual((await observe(storage, sound, `byte ${at}`)).problems, []);
    }
  });

  test('in a generation leaves backups going, which store everything anew, and says how prunes come back', async () => {
    const [name = ''] = sound.kinds.get('generations') ?? [];
    const damaged = (): Promise<Storage> => copyToMemory(sound.storage, (each, whole) => (each === name ? flipped(whole, 60) : whole));
    const { errors, problems } = await observe(await damaged(), sound, name);
    const refusal = errors.get('prune');
    assert.match(refusal?.message ?? '', new RegExp(`${name}.*writers store everything anew`));
    assert.match(refusal?.hint ?? '', new RegExp(`Stop everything .* delete ${name}`));
    assert.deepEqual(problems?.map(({ object, affects }) => ({ object, affects })), [{ object: name, affects: [] }]);
    const storage = await damaged();
    await storage.delete(name);
    const repository = await openTestRepository(storage);
    for (let rounds = 0; rounds < 2; rounds += 1) await repository.prune({ isOver: () => true });
    await repository.close();
    const after = await observe(storage, { ...sound, deleted: new Map() }, 'after the way out');
    assert.deepEqual([after.problems, [...after.errors.keys()]], [[], []]);
  });
});

function assertNamed(seen: Observed, name: string, where: string): void {
  // Nobody needs what a condemned pack holds, nor what nobody named yet.
  const isDeleted = name.startsWith('snapshots/') && sound.deleted.has(ownId(name)[0] ?? '');
  const isNeeded = !name.startsWith('packs/') || (seen.problems ?? []).length > 0 || seen.read.size < all.size + 1;
  if (isDeleted || !isNeeded) return;
  assert.ok(seen.problems?.some(({ object }) => object === name || object.startsWith(`${name} `)), `${where}: check names it, not only ${JSON.stringify(seen.problems)}`);
}

function assertCosts({ problems, read, errors }: Observed, name: string, expected: readonly string[] | 'packs', where: string): void {
  const lost = [...all].filter((id) => !read.has(id)).sort();
  const told = new Set((problems ?? []).flatMap(({ affects }) => affects.map(({ snapshotId }) => snapshotId)));
  // Where only a pack's directory is damaged, its chunks are still read through the index: more is told than is lost.
  if (expected === 'packs') assert.deepEqual(lost.filter((id) => !told.has(id)), [], `${where}: what can't be read is told`);
  else assert.deepEqual(lost, expected.filter((id) => all.has(id)).sort(), `${where}: ${[...errors].map(([what, error]) => `${what}: ${error.message}`).join('; ')}`);
  // A snapshot that is lost is told with the damage, not only in words.
  for (const id of lost) assert.ok(!sound.contents.has(id) || told.has(id), `${where}: check says that it costs ${id}, and not only ${[...told].join(', ')} (${kindOfName(name)})`);
}

async function assertHealed(name: string, bytes: Buffer): Promise<void> {
  const storage = await copyToMemory(sound.storage, (each, whole) => (each === name ? flipped(whole, whole.length >> 1) : whole));
  const repository = await openTestRepository(storage).catch(() => null);
  // The only slot of this key: nobody gets in to mend it. The copy has it as it was.
  if (repository === null) {
    assert.ok(bytes.equals(await copy.get(name)), name);
    return;
  }
  try {
    const { problems } = await repository.check({ readData: true });
    const { failed } = await repository.heal({ from: copy, objects: problems.map(({ object }) => object), isOver: () => true });
    assert.deepEqual(failed, [], name);
    if (problems.length > 0) assert.ok((await storage.get(name)).equals(bytes), `${name} is what it was`);
    assert.deepEqual((await repository.check({ readData: true })).problems, [], name);
  } finally {
    await repository.close();
  }
}
