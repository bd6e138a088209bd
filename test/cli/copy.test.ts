// `leafvault copy` and `check --repair-from` as people type them, without a catalog.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, type CliWorld } from '../../src/cli/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { openTestRepository, randomChunks, withTempDir, writeSnapshot } from '../support/repository-fixture.ts';

test('a repository is copied, mended from its copy, and the copy taken into use', () => withTempDir(async (home) => {
  const run = async (...argv: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> => {
    let [out, err] = ['', ''];
    const code = await runCli({
      argv: [...argv, '--home', home, '--log-level', 'silent'], env: {}, cwd: home,
      readFile: () => { throw Object.assign(new Error('none'), { code: 'ENOENT' }); },
      out: (text: string) => { out += text; }, err: (text: string) => { err += text; }, stop: new AbortController().signal,
    } as unknown as CliWorld);
    return { code, out, err };
  };
  const { bytes: masterKey } = await loadMasterKey(join(home, 'master.key'));
  const storage = createLocalStorage(join(home, 'repository'));
  const repository = await openTestRepository(storage, { masterKey });
  await writeSnapshot(repository, { a: randomChunks(5, 2_000) });
  await repository.close();
  const copy = `file:${join(home, 'copy')}`;

  const none = await run('copy');
  assert.deepEqual([none.code, /no second copy is named/.test(none.err), /repository\.copies/.test(none.err)], [2, true, true]);
  assert.match((await run('copy', '--to', copy, '--dry-run')).out, /would copy \d+ objects/);
  const told = await run('copy', '--repository-copies', copy, '--json');
  const report = JSON.parse(told.out) as Record<string, unknown>;
  assert.deepEqual([told.code, report['copy'], report['snapshots'], report['damaged'], report['postponed']], [0, copy, 1, [], false]);
  assert.match((await run('copy', '--to', `file:${join(home, 'repository')}`)).err, /is the store that is to be copied/);
  assert.equal((await run('copy', '--to', copy, '--keep-days', '3', '--limit', '100')).code, 0);
  for (const flag of ['--keep-days', '--limit']) assert.equal((await run('copy', '--to', copy, flag, 'many')).code, 2);
  const other = await run('copy', '--to', `file:${home}`);
  assert.equal(other.code, 6);
  assert.match(other.err, /not empty/);

  const [folder] = await readdir(join(home, 'repository/packs'));
  const [pack] = await readdir(join(home, 'repository/packs', folder ?? ''));
  const path = join(home, 'repository/packs', folder ?? '', pack ?? '');
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0, 100, 200));
  const damaged = await run('check', '--read-data');
  assert.equal(damaged.code, 3);
  const found = JSON.parse((await run('check', '--read-data', '--json')).out) as { readonly problems: readonly { readonly object: string }[] };
  assert.match(found.problems[0]?.object ?? '', /^packs\//);
  const mended = await run('check', '--read-data', '--repair-from', copy);
  assert.equal(mended.code, 0, mended.err);
  assert.match(mended.out, /fetched again: packs\/.*; what was there is kept as quarantine\/packs\//);
  assert.deepEqual(await readFile(join(home, 'repository/quarantine/packs', folder ?? '', pack ?? '')), bytes);
  assert.equal((await run('check', '--read-data')).code, 0);

  const refused = await run('prune', '--repository-store', copy);
  assert.deepEqual([refused.code, /it is a copy/.test(refused.err), /--promote/.test(refused.err)], [6, true, true]);
  assert.match((await run('copy', '--promote', '--repository-store', copy)).out, /can be written to/);
  assert.equal((await run('prune', '--repository-store', copy)).code, 0);
  assert.match((await run('copy', '--to', copy)).err, /it was taken into use/);
  await storage.close();
}));
