import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { isDead, thisProcess } from '../../src/jobs/process-identity.ts';

describe('the identity of a process', () => {
  test('is alive while it runs, and its own each time', async () => {
    const [one, two] = [await thisProcess(), await thisProcess()];
    assert.equal(await isDead(one), false);
    assert.notEqual(one.id, two.id);
    assert.equal(one.host, two.host);
  });

  test('is dead once the process ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await isDead({ ...(await thisProcess()), pid }), true);
  });

  test('is dead when its process id belongs to another one', { skip: process.platform === 'linux' ? false : 'start times of processes are read on Linux only' }, async () => {
    const self = await thisProcess();
    assert.equal(await isDead({ ...self, processStart: '1' }), true);
  });
});
