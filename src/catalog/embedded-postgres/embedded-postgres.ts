// A real PostgreSQL inside the home: started by the first process that needs it, shared by all, stopped by the last.
// A server that a killed process left running is taken over.
import { sleep } from '../../foundation/abort.ts';
import type { Clock } from '../../foundation/clock.ts';
import { describeError, LeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { Address } from '../connection.ts';
import { serverAccount } from './account.ts';
import { prepareBinaries } from './binaries.ts';
import { ensureDataFolder, makePostgresFolder } from './data-folder.ts';
import { joinServer, type Keeper } from './keeper.ts';
import { forgetPostmaster, isServerAlive, readPostmaster, type Postmaster } from './postmaster-file.ts';
import { RACED, removeSocketFolder, startServer, stopServer, type ServerPlace } from './server-process.ts';

export interface EmbeddedPostgres {
  /** Stays the same for as long as this process uses the server, also when it has to be started again. */
  readonly address: Extract<Address, { socketFolder: string }>;
  /** Leaves the server; the last one stops it. Safe to call twice. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions { readonly home: string; readonly log: Logger; readonly clock: Clock }

const PATIENCE_MS = 60_000;
const RETRY_MS = 50;

/**
 * @throws CATALOG_BINARIES_MISSING, CATALOG_HOME_FOREIGN, CATALOG_HOME_UNUSABLE, CATALOG_DATA_VERSION,
 *   CATALOG_DISK_FULL, CATALOG_SERVER_FAILED
 */
export async function startEmbeddedPostgres({ home, log, clock }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const account = serverAccount();
  const folder = await makePostgresFolder(home);
  const binaries = await prepareBinaries(account, folder);
  const data = await ensureDataFolder(folder, binaries, account);
  const place: ServerPlace = { folder, data, binaries, account };

  let { keeper, address } = await joinOrStart(place, clock, null);
  let stopping: Promise<void> | undefined;

  // Also after PostgreSQL restarted itself: all connections ended, and with them our place among its users.
  const watch = async (): Promise<void> => {
    for (;;) {
      await keeper.lost;
      if (stopping !== undefined) return;
      log.warn('the embedded PostgreSQL went away; joining or starting it again');
      rejoining = joinOrStart(place, clock, address.socketFolder).then(
        (joined) => { ({ keeper, address } = joined); },
        (error: unknown) => log.error({ reason: describeError(error) }, 'the embedded PostgreSQL can\'t be started again'),
      );
      await rejoining;
      await sleep(RETRY_MS);
    }
  };
  let rejoining = Promise.resolve();
  void watch();

  return {
    address,
    stop() {
      stopping ??= rejoining.then(() => leave(keeper, data));
      return stopping;
    },
  };
}

async function leave(keeper: Keeper, data: string): Promise<void> {
  if (await keeper.leave()) await stopServer(data);
  await keeper.end();
}

async function joinOrStart(place: ServerPlace, clock: Clock, socketFolder: string | null): Promise<{ keeper: Keeper; address: EmbeddedPostgres['address'] }> {
  const patience = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    const postmaster = await readPostmaster(place.data);
    if (postmaster !== null && (await isServerAlive(postmaster.pid))) {
      const address = addressOf(postmaster);
      const keeper = address === null ? null : await joinServer(address, place.data);
      if (keeper !== null && address !== null) return { keeper, address };
    } else {
      await clearAway(place, postmaster, socketFolder);
      if ((await startServer(place, socketFolder)) !== RACED) continue;
    }
    if (clock.monotonicMs() > patience) throw stuck(place, postmaster);
    await sleep(RETRY_MS);
  }
}

function addressOf({ socketFolder, port, ready }: Postmaster): EmbeddedPostgres['address'] | null {
  return ready && socketFolder !== '' ? { socketFolder, port, user: 'leafvault', database: 'postgres' } : null;
}

/** What a killed server left: PostgreSQL would take the id of a process that is not the server for the server. */
async function clearAway({ data }: ServerPlace, postmaster: Postmaster | null, keep: string | null): Promise<void> {
  if (postmaster === null) return;
  await forgetPostmaster(data, postmaster);
  if (postmaster.socketFolder !== keep) await removeSocketFolder(postmaster.socketFolder);
}

function stuck({ data }: ServerPlace, postmaster: Postmaster | null): LeafvaultError {
  return new LeafvaultError('CATALOG_SERVER_FAILED', `Starting the embedded PostgreSQL failed: process ${postmaster?.pid ?? '?'} holds ${data} and can't be reached`, {
    hint: 'End that process (SIGINT), then start again; its log is postgres/server.log in the home', details: { pid: postmaster?.pid },
  });
}
