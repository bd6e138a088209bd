import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';

test('the demo proves what it says and ends with 0', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../scripts/demo/demo.ts')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => { text += part; });
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0, text);
  const proven = text.slice(text.indexOf('What was proven'));
  for (const what of ['Every document is back', 'The snapshot is one instant', 'Indexes, options, views', 'The download is a whole mongodump folder', 'Commvault', 'Ops Manager']) {
    assert.ok(proven.includes(what), `${what}\n${text}`);
  }
});
