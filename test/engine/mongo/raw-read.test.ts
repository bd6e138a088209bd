import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MongoClient, MongoServerError, ObjectId, type ServerDescription } from 'mongodb';
import { createRawReader, type RawReader } from '../../../src/engine/mongo/index.ts';
import { HOLDABLE, refuseCommands } from '../../support/hold-commands.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';

const INTERRUPTED_BY_STATE_CHANGE = 11602;

describe('raw reads', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let reader: RawReader;

  before(async () => {
    server = await startReplicaSet({ parameters: HOLDABLE });
    client = new MongoClient(server.uri, { heartbeatFrequencyMS: 500 });
    reader = await createRawReader(client);
  });

  after(async () => {
    await client?.close();
    await server?.stop();
  });

  it('leave a client that goes on when the server refuses one because its state changed', async () => {
    const seen: ServerDescription[] = [];
    client.on('serverDescriptionChanged', ({ newDescription }) => void seen.push(newDescription));
    await refuseCommands(server, ['find'], 2, { errorCode: INTERRUPTED_BY_STATE_CHANGE });
    for (let times = 0; times < 2; times++) {
      await assert.rejects(reader.open('t', { find: 'c' }), (error) => error instanceof MongoServerError && error.code === INTERRUPTED_BY_STATE_CHANGE);
    }
    assert.equal((await reader.open('t', { find: 'c' })).cursorId, 0n);
    const versions = seen.map(({ topologyVersion }) => topologyVersion).filter((each) => each !== null);
    assert.ok(versions.length > 0);
    for (const { processId } of versions) assert.ok(processId instanceof ObjectId);
  });
});
