import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

test('every promise names tests, and every test that it names exists', () => {
  const page = readFileSync(join(ROOT, 'docs/design/invariants.md'), 'utf8');
  const promises = page.split(/^## /m).slice(1);
  assert.equal(promises.length, 10);
  for (const promise of promises) {
    const named = [...promise.matchAll(/^- `([^`]+)`: (.+)$/gm)].map(([, path = '', title = '']) => ({ path, title }));
    assert.ok(named.length > 0, promise.split('\n')[0]);
    for (const { path, title } of named) {
      assert.ok(existsSync(join(ROOT, path)), path);
      assert.ok(readFileSync(join(ROOT, path), 'utf8').includes(title), `${path} has no test "${title}"`);
    }
  }
});

test('every link of a page leads to a file', () => {
  const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/development.md', 'docs/guides/getting-started.md', 'docs/decisions/README.md', 'docs/design/invariants.md'];
  const broken = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map(([, target = '']) => join(page, '..', target))
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${page} -> ${path}`),
  );
  assert.deepEqual(broken, []);
});
