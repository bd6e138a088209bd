// The only account of a throw-away server: made through the server's exception for a first user, which ends with it.
import { MongoClient } from 'mongodb';
import { throwIfAborted } from '../../foundation/abort.ts';

const NAME = 'leafvaultDrill';
/** What `applyOps`, merging users and the rest of a restore need; on a server with nobody else on it. */
const EVERYTHING = [{ resource: { anyResource: true }, actions: ['anyAction'] }];

/** @returns the connection string that logs in as the owner */
export async function createOwner(port: number, password: string, signal: AbortSignal): Promise<string> {
  const host = `127.0.0.1:${port}`;
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, { appName: 'leafvault-drill', serverSelectionTimeoutMS: 10_000 });
  try {
    const admin = client.db('admin');
    await admin.command({ createUser: NAME, pwd: password, roles: ['root'], mechanisms: ['SCRAM-SHA-256'] });
    throwIfAborted(signal);
  } finally {
    await client.close(true);
  }
  const uri = `mongodb://${NAME}:${password}@${host}/?authSource=admin&directConnection=true`;
  const owner = new MongoClient(uri, { appName: 'leafvault-drill', serverSelectionTimeoutMS: 10_000 });
  try {
    await owner.db('admin').command({ createRole: NAME, privileges: EVERYTHING, roles: [] });
    await owner.db('admin').command({ grantRolesToUser: NAME, roles: [NAME] });
  } finally {
    await owner.close(true);
  }
  return uri;
}
