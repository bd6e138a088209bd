import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { referencePages } from '../../scripts/reference-pages.ts';

const ROOT = join(import.meta.dirname, '../..');

test('the reference pages say what the code says', async () => {
  for (const [name, content] of await referencePages()) {
    const page = await readFile(join(ROOT, 'docs/reference', name), 'utf8').catch(() => '');
    assert.equal(page, content, `docs/reference/${name} is out of date: run \`npm run docs\``);
  }
});

test('every code that is raised stands in the table of its room', async () => {
  const page = (await referencePages()).get('errors.md') ?? '';
  const missing: string[] = [];
  for await (const path of glob('src/**/*.ts', { cwd: ROOT })) {
    const text = await readFile(join(ROOT, path), 'utf8');
    for (const [, code] of text.matchAll(/LeafvaultError\(\s*'([A-Z_]+)'/g)) if (!page.includes(`\`${code}\``)) missing.push(`${path}: ${code}`);
  }
  assert.deepEqual(missing, []);
});
