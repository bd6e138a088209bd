// A first look at a set of three, by an account with Leafvault's role, and by one that may not ask for the state of the set.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BACKUP_ROLE, roleCommands } from '../../src/engine/mongo/index.ts';
import { probeServer } from '../../src/engine/index.ts';
import { startReplicaSet, type ReplicaSet } from '../support/mongod.ts';

describe('a first look at a replica set', () => {
  let servers: ReplicaSet;

  before(async () => {
    servers = await startReplicaSet({ members: 3, auth: true });
    await servers.createRole(BACKUP_ROLE);
    const privileges = (BACKUP_ROLE['privileges'] as { readonly actions: readonly string[] }[]).map((each) => ({ ...each, actions: each.actions.filter((action) => action !== 'replSetGetStatus') }));
    await servers.createRole({ ...BACKUP_ROLE, createRole: 'blind', privileges });
  });
  after(() => servers?.stop());

  const statesFor = async (user: string, role: string): Promise<string[]> => {
    const uri = await servers.createUser({ user, password: 'x', roles: [role] });
    return (await probeServer(uri)).members.map(({ state }) => state).sort();
  };

  test('tells the state of every member with the role for backups', async () => {
    assert.deepEqual(await statesFor('backup', 'leafvaultBackup'), ['PRIMARY', 'SECONDARY', 'SECONDARY']);
  });

  test('misses nothing that a snapshot needs with the role for backups, with that for restores, and as an administrator', async () => {
    await servers.createRole(roleCommands()[1]!);
    for (const role of ['leafvaultBackup', 'leafvaultRestore', 'root']) {
      const uri = await servers.createUser({ user: `may-${role}`, password: 'x', roles: [role] });
      assert.deepEqual((await probeServer(uri, { rights: true })).missing, [], role);
    }
  });

  const everything = BACKUP_ROLE['privileges'] as { readonly resource: { readonly db?: string; readonly collection?: string; readonly cluster?: boolean }; readonly actions: readonly string[] }[];
  for (const [right, isOf, action] of [
    ['listDatabases', ({ cluster }) => cluster === true, 'listDatabases'], ['useUUID', ({ cluster }) => cluster === true, 'useUUID'],
    ...['listCollections on all databases', 'find on all collections', 'listIndexes on all collections', 'collStats on all collections'].map((each) => [each, ({ db, collection }: { readonly db?: string; readonly collection?: string }) => db === '' && collection === '', each.split(' ')[0] ?? ''] as const),
    ['find on local.oplog.rs', ({ db }) => db === 'local', 'find'],
  ] as readonly (readonly [string, (resource: (typeof everything)[number]['resource']) => boolean, string])[]) {
    test(`misses ${right} where the account lacks that alone`, async () => {
      const name = `no ${right}`;
      await servers.createRole({ ...BACKUP_ROLE, createRole: name, privileges: everything.map((each) => ({ ...each, actions: each.actions.filter((one) => one !== action || !isOf(each.resource)) })).filter(({ actions }) => actions.length > 0) });
      const uri = await servers.createUser({ user: name.replaceAll(' ', '-'), password: 'x', roles: [name] });
      const { missing } = await probeServer(uri, { rights: true });
      assert.ok(missing.includes(right), missing.join());
      assert.ok(missing.length <= 2, missing.join());
      assert.deepEqual((await probeServer(uri)).missing, []);
    });
  }

  test('misses everything without an account', async () => {
    assert.equal((await probeServer(servers.uri, { rights: true })).missing.length, 7);
  });

  test('tells of no member that it is up where nobody may say so', async () => {
    const states = await statesFor('blind', 'blind');
    // The one that answered may be a secondary, which then is known to be there.
    assert.deepEqual([states.length, states[0], states.at(-1)], [3, 'PRIMARY', 'UNKNOWN']);
  });
});
