import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsReference } from '../../src/config/index.ts';

test('docs/reference/settings.md says what the table of settings says', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/reference/settings.md'), 'utf8');
  assert.equal(page, settingsReference(), 'run `npm run docs`');
});
