import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { withTempDir } from './repository-fixture.ts';

const ROOT = join(import.meta.dirname, '../..');

test('a run tells of every test of a file', () => withTempDir(async (folder) => {
  const file = join(folder, 'many.test.ts');
  await writeFile(file, `import { test } from 'node:test';\nfor (let n = 0; n < 1_000; n += 1) test(\`of number \${n}\`, () => undefined);\n`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/run-tests.ts'), relative(ROOT, file)], { env, encoding: 'utf8' });
  assert.match(stdout, /^ℹ tests 1000$/m, `${stdout.slice(-2_000)}${stderr}`);
}));
