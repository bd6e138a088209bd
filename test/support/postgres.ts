// Throw-away PostgreSQL servers of the two kinds that the catalog knows: the embedded one in a fresh home, and an
// external one over TCP with a password, of the system's own programs where there are any.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { serverAccount } from '../../src/catalog/embedded-postgres/account.ts';
import { prepareBinaries } from '../../src/catalog/embedded-postgres/binaries.ts';
import { readPostmaster } from '../../src/catalog/embedded-postgres/postmaster-file.ts';
import { openCatalog, type Catalog, type CatalogOptions, type CatalogTransaction } from '../../src/catalog/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { freePort } from './free-port.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import { createSealer } from '../../src/foundation/seal.ts';
import { PATIENCE_MS } from './patience.ts';
import { copyTemplate } from './server-template.ts';
import { startWatchdog } from './watchdog.ts';

type OpenOptions = Partial<Pick<CatalogOptions, 'schema' | 'clock' | 'idleTransactionMs'>>;

export interface TestDatabase {
  readonly kind: 'embedded' | 'external';
  /** What `openCatalog` takes. */
  readonly database: CatalogOptions['database'];
  /** A catalog in a schema of its own. */
  open(options?: OpenOptions): Promise<Catalog>;
  stop(): Promise<void>;
}

export const testSealer = createSealer(Buffer.alloc(32, 7));
export const silent = createLogger('silent');
/** Made with a copied server. */
const READY_SCHEMAS = ['ready_1', 'ready_2'];
let schemas = 0;

/** A name that no other test of this process or another uses. */
export function freshSchema(): string {
  schemas += 1;
  return `test_${process.pid}_${schemas}`;
}

export async function startEmbedded(): Promise<TestDatabase> {
  const home = await mkdtemp(join(tmpdir(), 'leafvault-test-'));
  // The server's own user can walk to it, so its command line names the folder, as the watchdog wants.
  await chmod(home, 0o755);
  const ready = (await copyTemplate({ name: 'embedded-postgres', of: 'postgres', make: makeEmbedded }, join(home, 'postgres'))) ? [...READY_SCHEMAS] : [];
  const watchdog = startWatchdog(home);
  // Stays open, so that the server outlives the tests' own catalogs.
  const anchor = await openOn({ home }, { schema: 'anchor' });
  watchdog.watch((await readPostmaster(join(home, 'postgres', 'data')))?.pid ?? 0);
  return {
    kind: 'embedded',
    database: { home },
    open: (options) => openOn({ home }, { ...options, schema: options?.schema ?? ready.shift() }),
    async stop() {
      await anchor.close();
      watchdog.dismiss();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A server with tables for the tests' first catalogs and their queues. */
async function makeEmbedded(home: string): Promise<void> {
  const { openPostgresQueue } = await import('../../src/jobs/index.ts');
  const anchor = await openOn({ home }, { schema: 'anchor' });
  for (const schema of READY_SCHEMAS) {
    const catalog = await openOn({ home }, { schema });
    await (await openPostgresQueue({ catalog, log: silent })).close();
    await catalog.close();
  }
  await anchor.close();
}

export interface ExternalDatabase extends TestDatabase {
  readonly url: string;
  /** What one statement gives, on a connection of its own. */
  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Ends without a checkpoint and begins again, on the same port and data. */
  crash(): Promise<void>;
}

export async function startExternal(): Promise<ExternalDatabase> {
  const account = serverAccount();
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-test-'));
  const programs = await findPrograms(folder);
  if (account !== null) await chown(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const run = { ...(account ?? {}), cwd: '/', env: { PATH: '/usr/bin:/bin', LANG: 'C', LC_ALL: 'C' } };
  const make = (place: string): Promise<void> => initialize(programs.initdb, place, run);
  if (!(await copyTemplate({ name: 'external-postgres', of: 'data', make }, data))) await make(folder);
  const port = await freePort();
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'max_connections=200'];
  const watchdog = startWatchdog(folder);
  const url = `postgres://tester:not-a-secret@127.0.0.1:${port}/postgres`;
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(programs.postgres, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], { ...run, stdio: 'ignore' });
    if (started.pid !== undefined) watchdog.watch(started.pid);
    await answering(url, started);
    return started;
  };
  let child = await start();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  return {
    kind: 'external',
    database: { url },
    url,
    open: (options) => openOn({ url }, options),
    async query(text) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client.query<Record<string, unknown>>(text).then(({ rows }) => rows).finally(() => client.end());
    },
    async crash() {
      await end('SIGQUIT');
      child = await start();
    },
    async stop() {
      await end('SIGINT');
      watchdog.dismiss();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type RunAs = Partial<NonNullable<ReturnType<typeof serverAccount>>> & { readonly cwd: string; readonly env: Record<string, string> };

async function initialize(initdb: string, folder: string, run: RunAs): Promise<void> {
  const password = join(folder, 'password');
  await writeFile(password, 'not-a-secret');
  if (run.uid !== undefined && run.gid !== undefined) for (const path of [folder, password]) await chown(path, run.uid, run.gid);
  const made = spawnSync(initdb, ['-D', join(folder, 'data'), '-U', 'tester', '--auth=scram-sha-256', `--pwfile=${password}`, '-E', 'UTF8', '--locale=C', '--no-sync'], { ...run, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb of ${initdb} failed: ${made.stderr}${made.stdout}${made.error?.message ?? ''}`);
}

/** Both kinds, for suites that have to pass on each. */
export const DATABASES = [
  { name: 'the embedded PostgreSQL', start: startEmbedded },
  { name: 'a PostgreSQL by URL', start: startExternal },
] as const;
/** For tests that are long and hardly touch the database: both kinds in the long form only. */
export const DATABASES_IN_TURN = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? DATABASES : DATABASES.slice(0, 1);

const EMPTIED = ['organizations', 'row_counts', 'event_counts', 'workers', 'sessions', 'revoked_bearers', 'used_nonces', 'numbers', 'audit_events', 'settings'];
const emptying = new Map<string, string>();

/** Takes every row out of a catalog and its queue: cheaper than a fresh schema for each test, and than to truncate, which makes every table and index anew. */
export async function emptyCatalog(catalog: Catalog): Promise<void> {
  await catalog.transaction(async (tx) => {
    const text = emptying.get(catalog.schema) ?? (await deletesOf(catalog.schema, tx));
    emptying.set(catalog.schema, text);
    // No triggers meanwhile: rows go in any order, and nobody counts them.
    await tx.executeSql(`set local session_replication_role = replica; ${text}`);
    const { rows } = await tx.executeSql('select 1 from information_schema.tables where table_schema = $1 and table_name = $2', [`${catalog.schema}_queue`, 'job']);
    if (rows.length > 0) await tx.executeSql(`delete from ${catalog.schema}_queue.job`);
  });
}

/** What a `truncate … cascade` would reach. */
async function deletesOf(schema: string, tx: CatalogTransaction): Promise<string> {
  const { rows } = await tx.executeSql(`
    with recursive reached(id) as (
      select format('%I.%I', $1::text, name)::regclass::oid from unnest($2::text[]) as name
      union select conrelid from pg_constraint, reached where contype = 'f' and confrelid = id
    ) select id::regclass::text as name from reached`, [schema, EMPTIED]);
  return rows.map(({ name }) => `delete from ${String(name)}`).join('; ');
}

function openOn(database: CatalogOptions['database'], { schema = freshSchema(), clock = systemClock, ...options }: OpenOptions = {}): Promise<Catalog> {
  return openCatalog({ ...options, database, schema, clock, sealer: testSealer, log: silent });
}

/** The system's PostgreSQL (14 or newer), else the programs of the embedded one. */
async function findPrograms(folder: string): Promise<{ readonly initdb: string; readonly postgres: string }> {
  const folders = [
    ...globSync('/usr/lib/postgresql/*/bin').sort((a, b) => Number(b.split('/')[4]) - Number(a.split('/')[4])),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  for (const bin of folders) {
    const [initdb] = globSync(join(bin, 'initdb'));
    const [postgres] = globSync(join(bin, 'postgres'));
    const version = postgres === undefined ? '' : spawnSync(postgres, ['--version'], { encoding: 'utf8' }).stdout;
    if (initdb !== undefined && postgres !== undefined && Number(/ (\d+)/.exec(version)?.[1]) >= 14) return { initdb, postgres };
  }
  return prepareBinaries(serverAccount(), folder);
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await delay(50)) {
    if (child.exitCode !== null) break;
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    const up = await client.connect().then(() => true, () => false);
    await client.end().catch(() => undefined);
    if (up) return;
  }
  throw new Error(`The external PostgreSQL at ${url} does not answer (exit code ${child.exitCode})`);
}

