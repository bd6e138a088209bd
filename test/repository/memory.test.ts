// Memory of a process that writes, reads and checks: fixed, whatever the amount of data.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { withTempDir } from '../support/repository-fixture.ts';

const MEGABYTES = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? 4_000 : 240;

test('a process stays below 290 MiB while it writes, and below 400 MiB when it reads and checks as well', (context) => withTempDir(async (folder) => {
  const script = join(import.meta.dirname, '..', 'support', 'measure-writer.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, folder, String(MEGABYTES)]);
  const { writing = 0, whole = 0, read, problems, stored } = JSON.parse(stdout) as Record<string, number>;
  context.diagnostic(`${MEGABYTES} MB, peak ${writing} MiB writing, ${whole} MiB in all`);
  assert.equal(problems, 0);
  assert.equal(read, MEGABYTES * 1_000_000);
  assert.ok((stored ?? 0) > MEGABYTES * 400_000, 'the data was new');
  assert.ok(writing > 50 && writing < 290, `writing: ${writing} MiB`);
  assert.ok(whole < 400, `in all: ${whole} MiB`);
}));

test('a process stays below 512 MiB while it stores and reads chunks of 4 MiB as deltas of bases of 16 MiB', (context) => withTempDir(async (folder) => {
  const count = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? 16 : 4;
  const script = join(import.meta.dirname, '..', 'support', 'measure-deltas.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, folder, String(count)]);
  const { full = 0, writing = 0, whole = 0, read, deltas } = JSON.parse(stdout) as Record<string, number>;
  context.diagnostic(`peak ${full} MiB writing bases, ${writing} MiB with deltas, ${whole} MiB in all`);
  assert.deepEqual([deltas, read], [count, count * 4 * 1024 * 1024]);
  assert.ok(writing > 50 && writing < 512, `writing: ${writing} MiB`);
  assert.ok(whole < 512, `in all: ${whole} MiB`);
}));
