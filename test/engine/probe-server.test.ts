// A first look at a set of two, by an account with Leafvault's role, and by one that may not ask for the state of the set.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BACKUP_ROLE } from '../../src/engine/mongo/index.ts';
import { probeServer } from '../../src/engine/index.ts';
import { startReplicaSet, type ReplicaSet } from '../support/mongod.ts';

describe('a first look at a replica set', () => {
  let servers: ReplicaSet;

  before(async () => {
    servers = await startReplicaSet({ members: 2, auth: true });
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
    assert.deepEqual(await statesFor('backup', 'leafvaultBackup'), ['PRIMARY', 'SECONDARY']);
  });

  test('tells of no member that it is up where nobody may say so', async () => {
    assert.deepEqual(await statesFor('blind', 'blind'), ['PRIMARY', 'UNKNOWN']);
  });
});
