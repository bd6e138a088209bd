import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { urlRewriter } from '../../src/http/rewrite-url.ts';

const rewrite = urlRewriter([
  { prefix: '/api/atlas/v2' },
  { prefix: '/commandcenter/api', aliases: ['/webconsole/api'], caseInsensitive: true },
]);

describe('urlRewriter', () => {
  for (const [from, to] of [
    ['/commandcenter/api', '/commandcenter/api'],
    ['/CommandCenter/API/', '/commandcenter/api/'],
    ['/webconsole/api/Job/12', '/commandcenter/api/job/12'],
    ['//webconsole//api//Schedules?association/entity/clientId=A//B', '/commandcenter/api/schedules?association/entity/clientId=A//B'],
    ['/commandcenter/apis/Job', '/commandcenter/apis/Job'],
    ['/commandcenter', '/commandcenter'],
    ['/api/atlas/v2/Groups//x', '/api/atlas/v2/Groups//x'],
    ['/x?to=/webconsole/api/Job', '/x?to=/webconsole/api/Job'],
  ] as const) {
    test(`gives ${to} for ${from}`, () => assert.equal(rewrite(from), to));
  }

  test('leaves everything outside of lenient doors as it is', () => {
    fc.assert(fc.property(fc.webPath(), (path) => fc.pre(!/^\/+(commandcenter|webconsole)/i.test(path)) ?? assert.equal(rewrite(path), path)));
  });

  test('gives the same again for what it gave', () => {
    fc.assert(fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
      const once = rewrite(`/WebConsole/Api${path}?${query}`);
      assert.equal(rewrite(once), once);
      assert.ok(once.endsWith(`?${query}`));
    }));
  });
});
