import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { isProcessAlive } from '../../src/foundation/process-alive.ts';

test('a process is alive while its id is taken, and no process has an id that can\'t be one', () => {
  const gone = spawnSync(process.execPath, ['--eval', '']).pid;
  assert.deepEqual([process.pid, process.ppid, gone, 0, -1, Number.NaN, 1.5].map(isProcessAlive), [true, true, false, false, false, false, false]);
});
