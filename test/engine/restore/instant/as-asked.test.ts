import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BSON, Timestamp, UUID, type Document } from 'mongodb';
import { parseOplogEntry } from '../../../../src/engine/backup/oplog/oplog-entry.ts';
import { restoreSnapshot } from '../../../../src/engine/restore/index.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { restoreWorld } from '../../../support/restore-world.ts';
import { INTO_COPY, startSmallSource, type SmallSource } from './small-source.ts';

/** What an atomic `applyOps` of a person may hold that no write of an application is logged as. */
const ODD: Readonly<Record<string, readonly Document[]>> = {
  'an insert onto a document': [{ op: 'i', o: { _id: 1, z: 9 } }],
  'an insert onto a document, then its delete, then a delete that misses': [{ op: 'i', o: { _id: 1, z: 9 } }, { op: 'd', o: { _id: 1 } }, { op: 'd', o: { _id: 1 } }],
  'a delete that misses': [{ op: 'd', o: { _id: 77 } }],
  'a diff that misses': [{ op: 'u', o2: { _id: 77 }, o: { $v: 2, diff: { u: { a: 5 }, i: { n: 1 } } } }],
  'a diff that misses and deletes': [{ op: 'u', o2: { _id: 77 }, o: { $v: 2, diff: { d: { a: false }, sb: { u: { x: 3 } } } } }],
  'a replacement that misses': [{ op: 'u', o2: { _id: 77 }, o: { _id: 77, a: 5 } }],
  'a diff that deletes a missing field': [{ op: 'u', o2: { _id: 1 }, o: { $v: 2, diff: { d: { gone: false }, u: { fresh: 1 } } } }],
  'a diff within a missing field': [{ op: 'u', o2: { _id: 1 }, o: { $v: 2, diff: { snosuch: { u: { x: 1 } } } } }],
  'plain writes': [{ op: 'i', o: { _id: 3, a: 1 } }, { op: 'u', o2: { _id: 2 }, o: { _id: 2, a: 'new' } }, { op: 'd', o: { _id: 1 } }],
};
const names = Object.keys(ODD);
const namesOf = (index: number) => [`plain${index}`, `capped${index}`];

let small: SmallSource;

before(async () => {
  small = await startSmallSource(createMemoryStorage(), async (client) => {
    const shop = client.db('shop');
    for (const index of names.keys()) {
      await shop.createCollection(`capped${index}`, { capped: true, size: 100_000 });
      for (const name of namesOf(index)) await shop.collection<Document>(name).insertMany([{ _id: 1 as never, a: 1, b: { x: 1 } }, { _id: 2 as never, a: 2 }]);
    }
  });
});

after(() => small?.[Symbol.asyncDispose]());

/** Every collection with its documents in their order, of one that is not capped in that of their ids. */
async function held(db: string): Promise<Document> {
  const all: Document = {};
  for (const name of [...names.keys()].flatMap(namesOf)) all[name] = await small.client.db(db).collection(name).find().sort(name.startsWith('capped') ? { $natural: 1 } : { _id: 1 }).toArray();
  return all;
}

test('what a person did with an atomic applyOps is part of an instant, whatever it met', { timeout: 900_000 }, async () => {
  for (const [index, operations] of Object.values(ODD).entries()) {
    for (const name of namesOf(index)) {
      const { results } = await small.client.db('admin').command({ applyOps: operations.map((each) => ({ ...each, ns: `shop.${name}` })) });
      assert.ok((results as boolean[]).every(Boolean), names[index]);
      const logged = await small.client.db('local').collection('oplog.rs').countDocuments({ op: 'c', 'o.applyOps.ns': `shop.${name}` });
      assert.equal(logged, 1, 'it is logged as it was asked for');
      await small.client.db('shop').collection(name).insertOne({ _id: 100 as never, behind: true });
    }
  }
  const border = await small.here();
  await using world = await restoreWorld(small.repository, small.root, small.server.uri, { selection: INTO_COPY, instant: small.oplog.instant(border) });
  await restoreSnapshot(world.options);
  assert.deepEqual(await held('copy'), await held('shop'));
});

test('writes that the server gathered itself are held to what they have to meet', () => {
  const list = [{ op: 'd', ns: 'shop.a', ui: new UUID(), o: { _id: 1 } }];
  const asked = (o: Document) => parseOplogEntry(BSON.serialize({ op: 'c', ns: 'admin.$cmd', o, ts: new Timestamp({ t: 1, i: 1 }) })).operations.map((op) => op.kind === 'delete' && op.asAsked === true);
  assert.deepEqual([asked({ applyOps: list }), asked({ applyOps: list, $db: 'admin' })], [[false], [true]]);
});
