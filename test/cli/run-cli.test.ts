import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXIT_CODES, exitCodeOf, runCli } from '../../src/cli/index.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';

interface Run { readonly code: number; readonly out: string; readonly err: string }

async function run(argv: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  let out = '';
  let err = '';
  const code = await runCli({
    argv, env,
    cwd: '/nowhere',
    readFile: () => { throw Object.assign(new Error('none'), { code: 'ENOENT' }); },
    out: (text) => { out += text; },
    err: (text) => { err += text; },
    stop: new AbortController().signal,
  });
  return { code, out, err };
}

describe('leafvault', () => {
  test('prints its version', async () => {
    const { code, out } = await run(['version']);
    assert.equal(code, 0);
    assert.match(out, /^leafvault \d+\.\d+\.\d+\n$/);
  });

  test('explains every setting and exit code in its help', async () => {
    const { code, out } = await run(['serve', '--help']);
    assert.equal(code, 0);
    assert.match(out, /--listen-port <number>[\s\S]*LEAFVAULT_LISTEN_PORT/);
    const { out: top } = await run(['--help']);
    for (const { code: number, meaning } of Object.values(EXIT_CODES)) assert.ok(top.includes(meaning) && top.includes(String(number)), meaning);
  });

  test('answers an unknown command or flag with exit code 2', async () => {
    assert.equal((await run(['serv'])).code, 2);
    assert.equal((await run(['serve', '--prot', '1'])).code, 2);
  });

  test('answers wrong settings with exit code 2 and all of them', async () => {
    const { code, err } = await run(['serve', '--listen-port', 'x', '--repository-store', 'gs://bucket'], { LEAFVAULT_LOG_LEVEL: 'loud' });
    assert.equal(code, 2);
    for (const text of ['3 settings are wrong', '--listen-port', '--repository-store', 'LEAFVAULT_LOG_LEVEL', 'begins with file: or s3://', 'HINT:']) assert.ok(err.includes(text), `${text} in ${err}`);
  });

  for (const [flag, value, variable] of [
    ['--source-uri', 'mongodb://leafvault:hunter2@db1:27017/?replicaSet=rs0', 'LEAFVAULT_SOURCE_URI'],
    ['--source-uri', 'mongodb://leafvault:hun/ter2@db1/', 'LEAFVAULT_SOURCE_URI'],
    ['--source-uri', 'mongodb://db1/?tls=true&tlsCertificateKeyFilePassword=hunter2', 'LEAFVAULT_SOURCE_URI'],
    ['--database', 'postgres://leafvault:hunter2@pg/leafvault', 'LEAFVAULT_DATABASE_URL'],
    ['--database', 'postgres://pg/leafvault?user=leafvault&password=hunter2', 'LEAFVAULT_DATABASE_URL'],
  ] as const) {
    test(`refuses a password in ${flag}, which shows in the process list: ${value.replaceAll('hunter2', '…')}`, async () => {
      const { code, err } = await run(['serve', flag, value]);
      assert.equal(code, 2);
      assert.match(err, new RegExp(`${flag}.*process list.*${variable}`));
      assert.doesNotMatch(err, /hunter2|hun\/ter2/);
    });
  }

  test('takes a connection string without a password as a flag', async () => {
    for (const given of [['--source-uri', 'mongodb://leafvault@db1:27017,db2:27017/?replicaSet=rs0'], ['--database', 'postgres://pg:5432/leafvault']]) {
      // Another setting is wrong on purpose: nothing is started.
      const { code, err } = await run(['serve', ...given, '--listen-port', 'x']);
      assert.equal(code, 2);
      assert.doesNotMatch(err, /process list/);
    }
  });

  for (const share of ['0/3', '4/3', '1', 'all', '1/3/5', '-1/3']) {
    test(`refuses ${share} as a share of the bytes to check`, async () => {
      const { code, err } = await run(['check', `--read-data=${share}`]);
      assert.equal(code, 2);
      assert.match(err, /third of thirty/);
    });
  }

  test('prints both roles as commands for mongosh and as JSON', async () => {
    const { out } = await run(['roles']);
    const names = [...out.matchAll(/"createRole": "(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(names, ['leafvaultBackup', 'leafvaultRestore']);
    const commands = JSON.parse((await run(['roles', '--json'])).out) as { readonly createRole: string }[];
    assert.deepEqual(commands.map(({ createRole }) => createRole), names);
  });
});

test('exitCodeOf follows the table of codes', () => {
  const codes = ['CONFIG_INVALID', 'MASTER_KEY_OTHER', 'SEAL_BROKEN', 'CATALOG_UNREACHABLE', 'STORAGE_FULL', 'REPOSITORY_MISSING', 'LISTEN_FAILED'];
  assert.deepEqual(codes.map((code) => exitCodeOf(new LeafvaultError(code, 'x'))), [2, 4, 4, 5, 6, 6, 1]);
  assert.equal(exitCodeOf(new Error('x')), 1);
});
