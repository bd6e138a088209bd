// One connection for each process that uses the server. It proves whose server answers, and it counts: a shared
// advisory lock that goes with the process, however it ends. Who gets the lock alone is the last.
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { LeafvaultError } from '../../foundation/errors.ts';
import { clientConfigOf, type Address } from '../connection.ts';

export interface Keeper {
  /** Resolves when the connection broke although nobody ended it. */
  readonly lost: Promise<void>;
  /** True: this was the last user; nobody new gets in until the server has ended. */
  leave(): Promise<boolean>;
  end(): Promise<void>;
}

// A server that hangs must not keep us from stopping.
const PATIENCE_MS = 10_000;
// 'leafvaul' as a number: any constant, the same in every version.
const USERS_LOCK = '7810757392850219372';

/** null: there is no server at this address, or it is about to end. @throws CATALOG_HOME_UNUSABLE for another folder's server */
export async function joinServer(address: Address, data: string): Promise<Keeper | null> {
  const client = new pg.Client({ ...clientConfigOf(address, null), query_timeout: PATIENCE_MS });
  // Registered first: a server that goes away in between must not end the process.
  const lost = new Promise<void>((resolve) => client.once('end', resolve));
  client.on('error', () => undefined);
  try {
    await client.connect();
    await requireSameFolder(client, data);
    const { rows } = await client.query<{ joined: boolean }>(`select pg_try_advisory_lock_shared(${USERS_LOCK}) as joined`);
    if (rows[0]?.joined === true) return keeperOf(client, lost);
  } catch (error) {
    if (error instanceof LeafvaultError) throw error;
    // Starting, ending or gone: the caller looks again.
  }
  await client.end().catch(() => undefined);
  return null;
}

function keeperOf(client: pg.Client, lost: Promise<void>): Keeper {
  return {
    lost,
    async leave() {
      try {
        await client.query(`select pg_advisory_unlock_shared(${USERS_LOCK})`);
        const { rows } = await client.query<{ last: boolean }>(`select pg_try_advisory_lock(${USERS_LOCK}) as last`);
        return rows[0]?.last === true;
      } catch {
        // The server is gone: there is nothing to stop.
        return false;
      }
    },
    end: () => client.end().catch(() => undefined),
  };
}

/**
 * A copied or moved home names a server that serves another folder, so its word is not enough: the server has to
 * read a file that was put into this folder a moment ago.
 */
async function requireSameFolder(client: pg.Client, data: string): Promise<void> {
  const name = `leafvault-${randomBytes(8).toString('hex')}.proof`;
  const path = join(data, name);
  await writeFile(path, name, { mode: 0o644 });
  try {
    const { rows } = await client.query<{ text: string | null; folder: string }>(
      'select pg_read_file($1, true) as text, current_setting(\'data_directory\') as folder', [name],
    );
    if (rows[0]?.text === name) return;
    throw new LeafvaultError('CATALOG_HOME_UNUSABLE', `Opening the catalog was refused: the server that ${data} names serves ${rows[0]?.folder ?? 'another folder'}`, {
      hint: `This home is a copy of one that is in use; stop the other Leafvault, then delete ${join(data, 'postmaster.pid')}`,
      details: { folder: data, serving: rows[0]?.folder },
    });
  } finally {
    await rm(path, { force: true });
  }
}
