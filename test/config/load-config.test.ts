import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfig, type Config, type ConfigSources, type Mistake } from '../../src/config/index.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';

interface Given {
  readonly yaml?: string;
  readonly env?: Record<string, string>;
  readonly flags?: ConfigSources['flags'];
  readonly files?: Record<string, string>;
}

function load({ yaml, env = {}, flags = {}, files = {} }: Given): Config {
  const all: Record<string, string> = yaml === undefined ? files : { ...files, '/etc/lv/leafvault.yaml': yaml };
  return loadConfig({
    flags,
    env,
    cwd: '/start',
    configFile: yaml === undefined ? undefined : '/etc/lv/leafvault.yaml',
    readFile(path) {
      const text = all[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    },
  });
}

function mistakesOf(given: Given): readonly Mistake[] {
  try {
    load(given);
  } catch (error) {
    assert.ok(error instanceof LeafvaultError && error.code === 'CONFIG_INVALID', String(error));
    return error.details.mistakes as readonly Mistake[];
  }
  return assert.fail('the settings were taken');
}

const EXAMPLE = `
home: ./leafvault-data
listen: { host: 127.0.0.1, port: 27080, publicUrl: http://127.0.0.1:27080 }
database: embedded
repository: { store: "file:./leafvault-data/repository" }
organizations:
  - name: Example
    id: 5f0000000000000000000001
    apiKeys:
      - { publicKey: abcdefgh, privateKey: 00000000-0000-4000-8000-000000000000, roles: [ORG_OWNER], accessList: [127.0.0.1/32] }
    serviceAccounts:
      - { clientId: mdb_sa_id_5f0000000000000000000002, clientSecret: mdb_sa_sk_example, roles: [ORG_OWNER] }
    users:
      - { name: admin, password: change-me, roles: [ORG_OWNER] }
    projects:
      - name: shop
        id: 5f0000000000000000000003
        apiKeys: []
        clusters:
          - { name: orders, id: 5f0000000000000000000004, uri: "mongodb://127.0.0.1:27017/?replicaSet=rs0" }
`;

describe('loadConfig', () => {
  test('takes the example of the design', () => {
    const config = load({ yaml: EXAMPLE });
    assert.equal(config.home, '/etc/lv/leafvault-data');
    assert.equal(config.repositoryStore, 'file:/etc/lv/leafvault-data/repository');
    assert.equal(config.databaseUrl, null);
    assert.equal(config.organizations[0]?.projects[0]?.clusters[0]?.name, 'orders');
    assert.deepEqual(config.organizations[0]?.apiKeys[0]?.accessList, ['127.0.0.1/32']);
  });

  test('has a default for everything', () => {
    const config = load({});
    assert.deepEqual(config.listen, { host: '127.0.0.1', port: 27080, publicUrl: null, trustProxy: [] });
    assert.equal(config.home, '/start/leafvault-data');
    assert.equal(config.masterKeyFile, '/start/leafvault-data/master.key');
    assert.equal(config.sourceUri, null);
  });

  test('prefers flags to the environment and the environment to the file', () => {
    const yaml = 'listen: { host: "1.1.1.1", port: 1 }\nlog: { level: warn }';
    const config = load({ yaml, env: { LEAFVAULT_LISTEN_PORT: '2', LEAFVAULT_LISTEN_HOST: '2.2.2.2' }, flags: { listenPort: '3' } });
    assert.equal(config.listen.port, 3);
    assert.equal(config.listen.host, '2.2.2.2');
    assert.equal(config.logLevel, 'warn');
  });

  test('writes what is said of a bucket into its address, of the first one and of each copy', () => {
    const yaml = [
      'repository:', '  store: s3://vault/lv?region=eu-central-1', '  objectLock: { mode: compliance, days: 14 }', '  copiesKeepDays: 7', '  copiesLimit: 2.5', '  copies:',
      '    - file:copy', '    - { store: "s3://elsewhere", profile: other, objectLock: { mode: governance, days: 30 } }',
    ].join('\n');
    const config = load({ yaml });
    assert.equal(config.repositoryStore, 's3://vault/lv?region=eu-central-1&objectLock=compliance:14');
    assert.deepEqual(config.repositoryCopies, ['file:/etc/lv/copy', 's3://elsewhere?profile=other&objectLock=governance:30']);
    assert.deepEqual(config.copies, { keepDays: 7, bytesPerSecond: 2_500_000 });
    assert.equal(load({ yaml, flags: { repositoryStore: 'file:/mnt/copy' } }).repositoryStore, 'file:/mnt/copy', 'the lock of the file is not meant for what a flag names');
    assert.deepEqual(load({}).copies, { keepDays: 0, bytesPerSecond: null });
  });

  test('refuses an object lock where there is no bucket, and one that is said twice', () => {
    for (const [yaml, words] of [
      ['repository: { objectLock: { mode: compliance } }', /for a bucket/], ['repository: { store: "file:x", objectLock: { mode: governance } }', /for a bucket/],
      ['repository: { store: "s3://b?objectLock=governance:3", objectLock: { mode: governance } }', /said twice/],
      ['repository: { copies: [{ store: "file:x", profile: y }] }', /profile is for a bucket/], ['repository: { copies: [{ store: "s3://b", lock: y }] }', /no such setting: lock/],
    ] as const) assert.match(mistakesOf({ yaml }).map(({ message }) => message).join(), words, yaml);
  });

  test('reads leafvault.yaml of the current folder when nothing is named', () => {
    assert.equal(load({ files: { '/start/leafvault.yaml': 'home: here' } }).home, '/start/here');
  });

  test('resolves a home of the environment against the current folder', () => {
    assert.equal(load({ yaml: 'log: {level: info}', env: { LEAFVAULT_HOME: 'mine' } }).home, '/start/mine');
  });

  test('tells all mistakes at once, each with its place', () => {
    const yaml = 'listen:\n  port: 99999\n  hots: x\norganizations:\n  - name: A\n    projects:\n      - name: p\n        clusters:\n          - { name: "-bad", uri: "http://x" }\n';
    const mistakes = mistakesOf({ yaml, env: { LEAFVAULT_LOG_LEVEL: 'loud' }, flags: { jobsAtOnce: 'many' } });
    assert.deepEqual(mistakes.map(({ source, path }) => `${source} ${path}`).sort(), [
      '--jobs-at-once worker.jobsAtOnce',
      '/etc/lv/leafvault.yaml line 2 listen.port',
      '/etc/lv/leafvault.yaml line 3 listen.hots',
      '/etc/lv/leafvault.yaml line 9 organizations[0].projects[0].clusters[0].name',
      '/etc/lv/leafvault.yaml line 9 organizations[0].projects[0].clusters[0].uri',
      'LEAFVAULT_LOG_LEVEL log.level',
    ]);
    assert.match(mistakes.find(({ path }) => path === 'listen.hots')?.message ?? '', /did you mean listen\.host\?/);
  });

  test('takes a bucket as it is, and refuses other kinds of stores', () => {
    assert.equal(load({ yaml: 'repository: { store: "s3://bucket/x?region=eu-central-1" }' }).repositoryStore, 's3://bucket/x?region=eu-central-1');
    const messages = mistakesOf({ yaml: 'repository: { store: "gs://bucket/x" }' }).map(({ message }) => message).join('\n');
    assert.match(messages, /begins with file: or s3:/);
  });

  test('makes deltas unless the file, the environment or a flag says off', () => {
    assert.equal(load({}).repositoryDeltas, true);
    for (const given of [{ yaml: 'repository: { deltas: off }' }, { yaml: 'repository: { deltas: false }' }, { env: { LEAFVAULT_REPOSITORY_DELTAS: 'off' } }, { flags: { repositoryDeltas: 'off' } }]) assert.equal(load(given).repositoryDeltas, false);
    assert.match(mistakesOf({ yaml: 'repository: { deltas: some }' })[0]?.message ?? '', /"on"\|"off"/);
  });

  test('takes continuous backup of a cluster, which is off where nothing is said', () => {
    const yaml = 'organizations: [{ name: A, projects: [{ name: p, clusters: [{ name: c, uri: "mongodb://h", continuousBackup: true }, { name: d, uri: "mongodb://h" }] }] }]';
    const [organization] = load({ yaml }).organizations;
    assert.deepEqual(organization?.projects[0]?.clusters.map(({ continuousBackup }) => continuousBackup), [true, false]);
    assert.match(mistakesOf({ yaml: yaml.replace('true', 'maybe') })[0]?.message ?? '', /expected true or false/);
  });

  test('takes drills of all clusters and of one, and says which hours, times and places there are', () => {
    const yaml = 'drills: { at: "03:00", mongod: ./bin/mongod }\norganizations: [{ name: A, projects: [{ name: p, clusters: [{ name: c, uri: "mongodb://h", drills: { everyHours: 168, target: d, namespaces: [shop] } }] }] }]';
    const { drills, organizations } = load({ yaml });
    assert.deepEqual(drills, { everyHours: null, at: '03:00', where: null, mongod: '/etc/lv/bin/mongod' });
    assert.deepEqual(organizations[0]?.projects[0]?.clusters[0]?.drills, { everyHours: 168, target: 'd', namespaces: ['shop'] });
    assert.equal(load({ env: { LEAFVAULT_DRILLS_EVERY_HOURS: '6' } }).drills.everyHours, 6);
    assert.match(mistakesOf({ yaml: yaml.replace('"03:00"', '"3 am"') })[0]?.message ?? '', /expected a time such as "03:00"/);
    assert.match(mistakesOf({ yaml: yaml.replace('target: d', 'where: mongod, target: d') })[0]?.message ?? '', /a throw-away mongod needs none/);
    for (const hours of ['0.001', '-1']) {
      const wrong: readonly Parameters<typeof mistakesOf>[0][] = [{ yaml: yaml.replace('168', hours) }, { env: { LEAFVAULT_DRILLS_EVERY_HOURS: hours } }, { env: { LEAFVAULT_CHECK_EVERY_HOURS: hours } }];
      for (const each of wrong) assert.match(mistakesOf(each)[0]?.message ?? '', /0 \(never\), or at least 1 hour/);
    }
    assert.equal(load({ env: { LEAFVAULT_CHECK_EVERY_HOURS: '0' } }).check.everyHours, 0);
    assert.match(mistakesOf({ yaml: 'drills: { where: moon }' })[0]?.message ?? '', /"scratch"\|"mongod"/);
  });

  test('takes targets of exports, their folders relative to the file, and says what is wrong with one', () => {
    const yaml = 'exportTargets:\n  - { name: 5f00000000000000000000ee, folder: ./exports, projects: [5f0000000000000000000003] }\n  - { name: minio, endpoint: "http://127.0.0.1:9000", accessKeyId: me, secretAccessKey: { env: EXPORT_SECRET } }\n';
    assert.deepEqual(load({ yaml, env: { EXPORT_SECRET: 'hidden' } }).exportTargets, [
      { name: '5f00000000000000000000ee', folder: '/etc/lv/exports', projects: ['5f0000000000000000000003'] },
      { name: 'minio', endpoint: 'http://127.0.0.1:9000', accessKeyId: 'me', secretAccessKey: 'hidden', pathStyle: true },
    ]);
    assert.deepEqual(load({}).exportTargets, []);
    for (const wrong of ['[{ name: a }, { name: a }]', '[{ name: a, endpoint: 9 }]', '[{ name: a b, folder: x }]', '[{ name: a, accessKeyId: me }]', '[{ name: a, folder: x, region: y }]']) {
      assert.ok(mistakesOf({ yaml: `exportTargets: ${wrong}\n` }).every(({ path }) => path.startsWith('exportTargets')), wrong);
    }
  });

  test('takes secrets from the environment and from files', () => {
    const yaml = 'database: { env: PG }\nsource: { uri: { file: ./uri.txt } }';
    const config = load({ yaml, env: { PG: 'postgres://u:p@h/db' }, files: { '/etc/lv/uri.txt': 'mongodb://u:p@h\n' } });
    assert.equal(config.databaseUrl, 'postgres://u:p@h/db');
    assert.equal(config.sourceUri, 'mongodb://u:p@h');
  });

  test('names a secret that cannot be read', () => {
    const [unset, missing] = mistakesOf({ yaml: 'database: { env: PG }\nsource: { uri: { file: ./uri.txt } }' });
    assert.match(unset?.message ?? '', /variable PG is not set/);
    assert.match(missing?.message ?? '', /\/etc\/lv\/uri\.txt cannot be read \(ENOENT\)/);
  });

  test('never repeats a wrong secret', () => {
    const yaml = 'source: { uri: "hunter2://secret" }\norganizations: [{ name: A, users: [{ name: u, password: hunt, roles: [ORG_OWNER] }], projects: [{ name: p, clusters: [{ name: c, uri: "hunter2" }] }] }]';
    assert.doesNotMatch(JSON.stringify(mistakesOf({ yaml, env: { LEAFVAULT_DATABASE_URL: 'hunter2' } })), /hunt/);
  });

  test('refuses names and ids that are declared twice', () => {
    const yaml = 'organizations: [{ name: A, id: 5f0000000000000000000001, projects: [{ name: p, id: 5f0000000000000000000001, clusters: [{ name: c, uri: "mongodb://h" }, { name: c, uri: "mongodb://h" }] }] }]';
    assert.deepEqual(mistakesOf({ yaml }).map(({ message }) => message), ['the id 5f0000000000000000000001 is declared twice', 'the cluster c is declared twice']);
  });

  test('takes projects of one name in two organizations, and refuses them in one', () => {
    const project = '{ name: p }';
    assert.equal(load({ yaml: `organizations: [{ name: A, projects: [${project}] }, { name: B, projects: [${project}] }]` }).organizations.length, 2);
    const twice = mistakesOf({ yaml: `organizations: [{ name: A, projects: [${project}, ${project}] }]` });
    assert.deepEqual(twice.map(({ message }) => message), ['the project p is declared twice']);
  });

  for (const [entry, taken] of [
    ['10.0.0.0/32', true], ['10.0.0.0/33', false], ['999.1.1.1', false], ['2001:db8::/128', true], ['2001:db8::/129', false], ['::ffff:10.0.0.0/104', true], ['1.2.3', false],
  ] as const) {
    test(`${taken ? 'takes' : 'refuses'} ${entry} in an access list`, () => {
      const yaml = `organizations: [{ name: A, apiKeys: [{ publicKey: abcdefgh, privateKey: long-enough, roles: [ORG_OWNER], accessList: ["${entry}"] }] }]`;
      if (taken) assert.deepEqual(load({ yaml }).organizations[0]?.apiKeys[0]?.accessList, [entry]);
      else assert.deepEqual(mistakesOf({ yaml }).map(({ message }) => message), ['expected an IP address or a CIDR block such as 10.0.0.0/8']);
    });
  }

  test('tells the line of broken YAML', () => {
    const [mistake] = mistakesOf({ yaml: 'home: a\nlisten: {port: 1\n' });
    assert.match(mistake?.source ?? '', /line [23]$/);
  });

  test('warns of a variable that means nothing', () => {
    assert.deepEqual(load({ env: { LEAFVAULT_SOURCE_URL: 'x' } }).warnings, ['The environment variable LEAFVAULT_SOURCE_URL is not a setting of Leafvault; did you mean LEAFVAULT_SOURCE_URI?']);
  });

  test('does not warn of a variable that the file refers to', () => {
    assert.deepEqual(load({ yaml: 'source: { uri: { env: LEAFVAULT_OUR_URI } }', env: { LEAFVAULT_OUR_URI: 'mongodb://h' } }).warnings, []);
  });

  test('warns that links lead nowhere when it listens on every address without a public one', () => {
    const [warning, ...others] = load({ yaml: 'listen: { host: 0.0.0.0 }' }).warnings;
    assert.match(warning ?? '', /no publicUrl is set.*set listen\.publicUrl/);
    assert.deepEqual(others, []);
    assert.deepEqual(load({ yaml: 'listen: { host: 0.0.0.0, publicUrl: "https://backup.example.com" }' }).warnings, []);
  });

  test('freezes the result to its leaves', () => {
    const config = load({ yaml: EXAMPLE });
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.organizations[0]?.projects[0]?.clusters[0]));
  });

  test('says so when the named file is missing', () => {
    assert.throws(() => loadConfig({ flags: {}, env: {}, cwd: '/', configFile: 'nope.yaml', readFile: () => { throw Object.assign(new Error('gone'), { code: 'ENOENT' }); } }), { code: 'CONFIG_FILE_UNREADABLE', message: 'Reading the settings file /nope.yaml failed' });
  });
});
