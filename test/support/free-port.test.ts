import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
/** More than a block has. */
const MANY = 80;

/** Ports of another process, which ends then. */
async function portsOfAnother(): Promise<number[]> {
  const script = `const { freePort } = await import(${JSON.stringify(join(import.meta.dirname, 'free-port.ts'))}); console.log(JSON.stringify(await Promise.all(Array.from({ length: ${MANY} }, freePort))));`;
  return JSON.parse((await run(process.execPath, ['--input-type=module', '--eval', script])).stdout) as number[];
}

describe('a port for a server of a test', () => {
  test('is nobody else\'s, in this process or another, though nothing listens there', async () => {
    const ours = await Promise.all(Array.from({ length: MANY }, freePort));
    const others = await Promise.all([portsOfAnother(), portsOfAnother()]);
    const all = [...ours, ...others.flat()];
    // Of two others the one may have ended before the other began.
    assert.equal(new Set(ours).size, MANY);
    for (const their of others) assert.equal(new Set([...ours, ...their]).size, 2 * MANY, all.join(' '));
  });

  test('can be listened at, and is not given while somebody does', async () => {
    const port = await freePort();
    await using server = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => { server.once('listening', resolve); });
    assert.equal(server.listening, true);
    assert.ok(!(await portsOfAnother()).includes(port));
  });
});
