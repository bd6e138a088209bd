// Memory of a process that prunes: fixed, however many chunks there are.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { withTempDir } from '../../support/repository-fixture.ts';

const CHUNKS = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? 1_200_000 : 60_000;

test(`a process stays below 512 MiB while it prunes ${CHUNKS} chunks of which half are needed`, (context) => withTempDir(async (folder) => {
  const script = join(import.meta.dirname, '../../support/measure-prune.ts');
  const run = async (mode: string) => JSON.parse((await promisify(execFile)(process.execPath, [script, mode, folder, String(CHUNKS)])).stdout) as Record<string, number>;
  await run('make');
  const { peakMiB = 0, seconds = 0, packs, bytes = 0, freedBytes = 0, rewrittenBytes = 0, stay = 0, problems } = await run('prune');
  context.diagnostic(`${CHUNKS} chunks in ${packs} packs: ${seconds.toFixed(1)} s, peak ${peakMiB} MiB, ${freedBytes} of ${bytes} bytes freed`);
  assert.equal(problems, 0);
  assert.ok(stay >= CHUNKS / 2 && stay < CHUNKS * 0.55, `${stay} chunks stay`);
  assert.ok(rewrittenBytes > bytes * 0.4 && freedBytes > bytes * 0.4, `${rewrittenBytes} written anew, ${freedBytes} freed`);
  assert.ok(peakMiB > 50 && peakMiB < 512, `${peakMiB} MiB`);
}));
