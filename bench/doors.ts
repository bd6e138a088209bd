// `node bench/doors.ts [requests] [--plans] [--path=part] [--page=500]`: how long a door takes to tell a page of 500, or one, of 100,000 snapshots and as many restore jobs of one cluster. Prints
// percentiles for each path and, as its last line, the worst as JSON. Real services, the embedded PostgreSQL, and a client over HTTP in a thread of its own; no worker runs.
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import { clientConfigOf } from '../src/catalog/connection.ts';
import type { Catalog } from '../src/catalog/index.ts';
import { systemClock } from '../src/foundation/clock.ts';
import { buildServer, facades, oauthDoor, type HttpServer } from '../src/http/index.ts';
import { openPostgresQueue } from '../src/jobs/index.ts';
import { applyDeclared, createServices } from '../src/services/index.ts';
import { silent, startEmbedded } from '../test/support/postgres.ts';
import type { Answered, Question } from './ask.ts';

const ROWS = 100_000;
const REQUESTS = Number(process.argv[2] ?? 200);
const ONLY = process.argv.find((each) => each.startsWith('--path='))?.slice('--path='.length) ?? '';
const WARM_UP = 20;
/** The most that is told at once; the default of the doors is 100. */
const PAGE = Number(process.argv.find((each) => each.startsWith('--page='))?.slice('--page='.length) ?? 500);
const AIM_MS = 25;
const [ORG, PROJECT, CLUSTER, BUCKET] = ['5f0000000000000000000001', '5f0000000000000000000003', '5f0000000000000000000004', '5f0000000000000000000006'];
const ACCOUNT = { clientId: 'mdb_sa_id_5f0000000000000000000002', clientSecret: 'mdb_sa_sk_bench' };
const BACKUP = `/groups/${PROJECT}/clusters/orders`;
const SERVERLESS = `/groups/${PROJECT}/serverless/orders/backup`;

/** Each once with a random page, or a random one. `{page}` and `{id}` are filled in. */
const PATHS: readonly string[] = [
  ...['backup/snapshots', 'backup/restoreJobs', 'backup/tenant/snapshots', 'backup/tenant/restores', 'snapshots', 'snapshots?completed=all', 'restoreJobs'].map((path) => `${BACKUP}/${path}${path.includes('?') ? '&' : '?'}{page}`),
  `${BACKUP}/snapshots?completed=false`, `${BACKUP}/backup/tenant/snapshots`, `${SERVERLESS}/snapshots?{page}`, `${SERVERLESS}/restoreJobs?{page}`,
  ...['backup/snapshots', 'backup/snapshots/shardedCluster', 'backup/restoreJobs', 'backup/tenant/snapshots', 'backup/tenant/restores', 'snapshots', 'restoreJobs'].map((path) => `${BACKUP}/${path}/{id}`),
  `${SERVERLESS}/snapshots/{id}`, `${SERVERLESS}/restoreJobs/{id}`, `${BACKUP}/backup/snapshots?pointInTimeUtcSeconds=1700000000`,
  ...['?{page}', '/{id}', '/{id}/collections', '/{id}/collections/shop.orders'].map((path) => `${BACKUP}/collectionRestoreJobs${path}`),
  `${BACKUP}/backup/exports?{page}`, `${BACKUP}/backup/exports/{id}`, `${BACKUP}/backup/schedule`, `/groups/${PROJECT}/backup/exportBuckets`,
  `${BACKUP}/backup/snapshots/{id}/databases`, `${BACKUP}/backup/snapshots/{id}/databases/shop/collections`,
  `/groups/${PROJECT}/events?{page}`, `/groups/${PROJECT}/events?eventType=CLUSTER_DELETED&{page}`, `/groups/${PROJECT}/events?minDate=2024-01-01T12:00:00Z&maxDate=2030-01-15T12:00:00Z&{page}`, `/orgs/${ORG}/events?{page}`, '/clusters', `/groups/${PROJECT}/clusters`,
];

const database = await startEmbedded();
try {
  await using catalog = disposable(await database.open({ clock: systemClock }));
  await using queue = disposable(await openPostgresQueue({ catalog, log: silent }));
  const server = await serverOn(catalog, queue);
  const began = performance.now();
  await fill(catalog);
  say(`${ROWS.toLocaleString('en')} snapshots and as many restore jobs, made in ${((performance.now() - began) / 1000).toFixed(0)} s; ${REQUESTS} requests for each path, pages of ${PAGE}`);
  say('       p50        p99   mean CPU of this process and PostgreSQL: what a busy machine says little of by the clock');
  const token = await tokenOf(server);
  const address = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const client = new Worker(new URL('ask.ts', import.meta.url));
  let worst = { path: '', p99: 0 };
  const paths = PATHS.filter((each) => each.includes(ONLY));
  // The first one once for nothing: the code of a fresh process is not compiled yet.
  for (const path of paths.slice(0, 1)) await timesOf(client, address, path, token);
  for (const path of paths) {
    const before = await cpuMs();
    const times = await timesOf(client, address, path, token);
    const cpu = ((await cpuMs()) - before) / (REQUESTS + WARM_UP);
    const [p50, p99] = [at(times, 0.5), at(times, 0.99)];
    if (p99 > worst.p99) worst = { path, p99 };
    say(`${p50.toFixed(1).padStart(7)} ms ${p99.toFixed(1).padStart(7)} ms ${cpu.toFixed(1).padStart(7)} ms  ${p99 < AIM_MS ? '      ' : 'MISSED'}  ${path.replace(`/groups/${PROJECT}`, '')}`);
  }
  say(`worst: ${worst.p99.toFixed(1)} ms, ${worst.path}; aim: < ${AIM_MS} ms`);
  say(JSON.stringify({ seconds: worst.p99 / 1000, bytes: 0, cpuSeconds: null, peakRssBytes: null }));
  await client.terminate();
  await server.close(0);
} finally {
  await database.stop();
}

function disposable<T extends { close(): Promise<void> }>(thing: T): T & AsyncDisposable {
  return Object.assign(thing, { [Symbol.asyncDispose]: () => thing.close() });
}

async function serverOn(catalog: Catalog, queue: Parameters<typeof createServices>[0]['queue']): Promise<HttpServer> {
  const none = { read: () => Promise.reject(new Error('There is no chain')), find: () => Promise.reject(new Error('There is no chain')) };
  const services = createServices({
    catalog, queue, clock: systemClock, secret: Buffer.alloc(32, 9), restoreDefaults: { timeSeries: 'refuse', keepHours: 0 }, baseUrl: () => 'http://leafvault.bench', openArchive: () => Readable.from([]), timelineReader: none,
    readContents: () => Promise.resolve([{ db: 'shop', name: 'orders', documents: 1_000, bytes: 5_000_000 }]),
  });
  await applyDeclared({ catalog, clock: systemClock }, [{
    name: 'Example', id: ORG, serviceAccounts: [{ ...ACCOUNT, roles: ['ORG_OWNER'] }], projects: [{ name: 'shop', id: PROJECT, clusters: [{ name: 'orders', id: CLUSTER, uri: 'mongodb://127.0.0.1:1/?replicaSet=rs0' }] }],
  }]);
  return buildServer({
    services, facades, plugins: [oauthDoor(services)], log: silent, publicUrl: 'http://leafvault.bench', version: { gitHash: 'b'.repeat(40), versionString: 'bench' },
    // A thousand times as fast: the limit of requests is not what is measured.
    clock: { now: systemClock.now, monotonicMs: () => 1_000 * performance.now() },
  });
}

/** One of a thousand snapshots failed; every tenth restore is a download, ready. */
async function fill(catalog: Catalog): Promise<void> {
  await catalog.transaction(async (tx) => {
    const id = (kind: string, n: string): string => `'${kind}' || lpad(to_hex(${n}), 22, '0')`;
    const when = "timestamptz '2024-01-01' + n * interval '10 minutes'";
    const state = "case when n % 1000 = 0 then 'failed' else 'completed' end";
    // Without checks and counters of each row: they are made at the end.
    await tx.executeSql('set local session_replication_role = replica', []);
    for (const [kind, letter, owner] of [['snapshot', 'a1', 'snapshot_id'], ['restore', 'a2', 'restore_id']] as const) {
      await tx.executeSql(`insert into jobs (id, kind, state, project_id, cluster_id, snapshot_id, ${owner === 'restore_id' ? 'restore_id, ' : ''}payload, requested_by, created_at, started_at, finished_at)
        select ${id(letter, 'n')}, '${kind}', ${state}, '${PROJECT}', '${CLUSTER}', ${id('b1', 'n')}, ${owner === 'restore_id' ? `${id('b2', 'n')}, ` : ''}'{}', 'bench', ${when}, ${when}, ${when} from generate_series(1, ${ROWS}) n`, []);
    }
    await tx.executeSql(`insert into snapshots (id, project_id, cluster_id, cluster_name, state, type, retention_days, requested_at, started_at, point_in_time_t, point_in_time_i, captured_at, finished_at, expires_at,
        mongodb_version, replica_set_name, consistency, documents, data_size_bytes, storage_size_bytes, job_id)
      select ${id('b1', 'n')}, '${PROJECT}', '${CLUSTER}', 'orders', ${state}, 'scheduled', 7, ${when}, ${when}, 1700000000 + n, 1, ${when}, ${when}, timestamptz '2099-01-01', '6.0.5', 'rs0', 'point-in-time', 1000, 5000000, 4000, ${id('a1', 'n')}
      from generate_series(1, ${ROWS}) n`, []);
    await tx.executeSql(`insert into restores (id, delivery, project_id, cluster_id, cluster_name, snapshot_id, target_project_id, target_cluster_id, target_cluster_name, selection, index_strategy, users_and_roles, created_at, job_id)
      select ${id('b2', 'n')}, case when n % 10 = 0 then 'download' else 'automated' end, '${PROJECT}', '${CLUSTER}', 'orders', ${id('b1', 'n')}, '${PROJECT}', '${CLUSTER}', 'orders', '{"databases":[],"collections":[],"renames":[]}', 'ALL', true, ${when}, ${id('a2', 'n')}
      from generate_series(1, ${ROWS}) n`, []);
    await tx.executeSql(`insert into downloads (restore_id, expiration_hours, file_name, ready_at, expires_at) select ${id('b2', 'n')}, 1, 'rs0.tar.gz', ${when}, timestamptz '2099-01-01' from generate_series(10, ${ROWS}, 10) n`, []);
    const [request, contents, outcome] = [
      { writeStrategy: 'OVERWRITE_EXISTING', databases: [], collections: [{ source: 'shop.orders' }], databaseSuffix: null, collectionSuffix: null }, [{ db: 'shop', name: 'orders', documents: 1_000 }],
      { collections: [{ from: 'shop.orders', to: 'shop.orders', documents: 1_000, bytes: 5_000_000, hash: 'a'.repeat(64), indexes: 1, failedIndexes: [] }], documents: 1_000, bytes: 5_000_000, movedAside: [], warnings: [] },
    ].map((each) => JSON.stringify(each));
    const plan = JSON.stringify({ kind: 'restore', state: 'undone', swaps: [{ from: 'shop.orders', db: 'shop', name: 'orders', shadow: 'leafvault.1', shadowUuid: 'aa', liveUuid: 'bb', proven: null, failedIndexes: [] }], timeSeries: [], views: [], padding: 'x'.repeat(1_000) });
    await tx.executeSql(`insert into collection_restores (restore_id, cluster_id, created_at, request, contents) select id, cluster_id, created_at, $1, $2 from restores`, [request, contents]);
    await tx.executeSql(`update restores set result = $1 where job_id in (select id from jobs where state = 'completed')`, [outcome]);
    await tx.executeSql(`insert into restore_plans (restore_id, job_id, plan, saved_at, settled_at, outcome) select id, job_id, $1, created_at, created_at, 'old' from restores`, [plan]);
    await tx.executeSql(`insert into jobs (id, kind, state, project_id, cluster_id, snapshot_id, payload, requested_by, created_at, started_at, finished_at)
      select ${id('a3', 'n')}, 'export', ${state}, '${PROJECT}', '${CLUSTER}', ${id('b1', 'n')}, '{}', 'bench', ${when}, ${when}, ${when} from generate_series(1, ${ROWS}) n`, []);
    await tx.executeSql(`insert into export_buckets (id, project_id, bucket_name, iam_role_id, created_at) values ('${BUCKET}', '${PROJECT}', 'exports', '${BUCKET}', now())`, []);
    await tx.executeSql(`insert into exports (id, project_id, cluster_id, cluster_name, snapshot_id, bucket_id, job_id, prefix, labels, created_at, exported_collections, total_collections)
      select ${id('b3', 'n')}, '${PROJECT}', '${CLUSTER}', 'orders', ${id('b1', 'n')}, '${BUCKET}', ${id('a3', 'n')}, 'exported_snapshots/' || n, '[]', ${when}, 1, 1 from generate_series(1, ${ROWS}) n`, []);
    await tx.executeSql('insert into leases (job_id) select id from jobs', []);
    await tx.executeSql(`insert into audit_events (at, principal_kind, principal_id, principal_name, action, project_id, org_id, object, address, details)
      select ${when}, 'serviceAccount', 'b', 'bench', case when n % 50 = 0 then 'deleteGroupCluster' else 'createGroupClusterBackupSnapshot' end, '${PROJECT}', '${ORG}', 'orders', '127.0.0.1', jsonb_build_object('status', case when n % 10 = 0 then 404 else 200 end) from generate_series(1, ${ROWS}) n`, []);
    await tx.executeSql(`insert into row_counts select 'jobs', cluster_id, month_of(created_at), kind, false, count(*) from jobs group by 2, 3, 4
      union all select 'snapshots', cluster_id, month_of(requested_at), '', state = 'completed', count(*) from snapshots group by 2, 3, 5
      union all select 'restores', cluster_id, month_of(created_at), '', true, count(*) from restores group by 2, 3
      union all select 'collectionRestores', cluster_id, month_of(created_at), '', true, count(*) from collection_restores group by 2, 3
      union all select 'exports', cluster_id, month_of(created_at), '', true, count(*) from exports group by 2, 3`, []);
    await tx.executeSql("insert into event_counts select org_id, project_id, month_of(at), action, count(*) from audit_events where (details ->> 'status')::integer < 400 group by 1, 2, 3, 4", []);
  });
  const client = new pg.Client(clientConfigOf(catalog.address, catalog.schema));
  await client.connect();
  // As PostgreSQL does by itself: indexes are read alone where the rows are known to be seen by all.
  await client.query('vacuum analyze');
  if (process.argv.includes('--plans')) await showPlans(client);
  await client.end();
}

/** Of the statements behind the lists, at their worst place: the end of a month. */
async function showPlans(client: pg.Client): Promise<void> {
  const ids = Array.from({ length: PAGE }, (_, n) => (50_000 + n).toString(16).padStart(22, '0'));
  const listed = (kind: string): string => `(select unnest(array[${ids.map((id) => `'${kind}${id}'`).join(',')}]))`;
  const statements = [
    `select month, sum(n)::bigint from row_counts where counted = 'snapshots' and cluster_id = '${CLUSTER}' group by month order by month desc`,
    `select id from snapshots where cluster_id = '${CLUSTER}' and deleted_at is null and requested_at < '2025-01-01' order by requested_at desc, id desc limit ${PAGE} offset 4400`,
    `select id from snapshots where cluster_id = '${CLUSTER}' and deleted_at is null and state <> 'completed' order by requested_at desc, id desc limit 100`,
    `select * from snapshots where id in ${listed('b1')} order by requested_at desc, id desc`,
    `select id from restores where cluster_id = '${CLUSTER}' and created_at < '2025-01-01' order by created_at desc, id desc limit ${PAGE} offset 4400`,
    `select * from restores join snapshots on snapshots.id = restores.snapshot_id join jobs on jobs.id = restores.job_id left join downloads on downloads.restore_id = restores.id where restores.id in ${listed('b2')} order by restores.created_at desc, restores.id desc`,
    `select * from collection_restores join restores on restores.id = collection_restores.restore_id join jobs on jobs.id = restores.job_id join leases on leases.job_id = restores.job_id where collection_restores.restore_id in ${listed('b2')} order by collection_restores.created_at desc, collection_restores.restore_id desc`,
    `select id from audit_events where project_id = '${PROJECT}' and org_id = '${ORG}' and ((details ->> 'status')::integer < 400 or outcome_unknown) and at < '2025-01-01' order by at desc, id desc limit ${PAGE} offset 3900`,
    `select month, sum(n)::bigint as n from (select month, n from event_counts where project_id = '${PROJECT}' and org_id = '${ORG}' union all select month_of(at), count(*) from audit_events where outcome_unknown and project_id = '${PROJECT}' and org_id = '${ORG}' group by 1) told group by month order by month desc`,
  ];
  for (const statement of statements) {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (analyze, buffers, timing off) ${statement}`);
    say(`${statement.slice(0, 150)} …\n${rows.map((each) => `    ${each['QUERY PLAN'].slice(0, 170)}`).join('\n')}`);
  }
}

async function tokenOf({ app }: HttpServer): Promise<string> {
  const basic = Buffer.from(`${ACCOUNT.clientId}:${ACCOUNT.clientSecret}`).toString('base64');
  const answer = await app.inject({ method: 'POST', url: '/api/oauth/token', headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' }, payload: 'grant_type=client_credentials' });
  return (answer.json() as { readonly access_token: string }).access_token;
}

/** Of this process and of all of PostgreSQL's, as far as the system tells. */
async function cpuMs(): Promise<number> {
  const { user, system } = process.cpuUsage();
  const home = 'home' in database.database ? database.database.home : '';
  const postmaster = (await readFile(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0];
  const stats = await Promise.all((await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')));
  // After the name, which may hold anything: state, parent, … and as 14th and 15th of all the ticks of a hundredth.
  const ticks = stats.map((text) => text.slice(text.lastIndexOf(')') + 2).split(' ')).filter(([, parent]) => parent === postmaster).reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0);
  return (user + system) / 1_000 + 10 * ticks;
}

/** Milliseconds of each request, sorted; some before the first one counts. */
async function timesOf(client: Worker, address: string, path: string, token: string): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = -WARM_UP; n < REQUESTS; n += 1) {
    const url = `${address}/api/atlas/v2${filled(path)}`;
    client.postMessage({ url, headers: { accept: 'application/vnd.atlas.2025-03-12+json', authorization: `Bearer ${token}` } } satisfies Question);
    const [{ status, milliseconds, text }] = await once(client, 'message') as [Answered];
    if (status !== 200) throw new Error(`${url} answered ${status}: ${text}`);
    if (n >= 0) times.push(milliseconds);
  }
  return times.sort((a, b) => a - b);
}

function filled(path: string): string {
  const any = 1 + Math.floor(Math.random() * ROWS);
  // One that failed can't be looked into.
  const one = path.includes('/databases') && any % 1_000 === 0 ? any - 1 : any;
  const letter = /restore/i.test(path) ? 'b2' : path.includes('exports') ? 'b3' : 'b1';
  return path.replace('{id}', `${letter}${one.toString(16).padStart(22, '0')}`).replace('{page}', `itemsPerPage=${PAGE}&pageNum=${1 + Math.floor((Math.random() * ROWS) / PAGE)}`);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
