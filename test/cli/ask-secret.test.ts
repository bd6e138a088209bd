// Secrets on a terminal and over a pipe. The terminal is a real one (a pseudo-terminal that Python opens).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { processInput } from '../../src/cli/ask-secret.ts';
import { masterKeyOf } from '../../src/composition/master-key.ts';
import { initRepository, proveOpener } from '../../src/repository/index.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { MASTER_KEY } from '../support/repository-fixture.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const PASSPHRASE = 'wörter, die niemand rät';

/** Types each answer once its prompt is shown; prints what the terminal showed, and the exit code last. */
const TYPIST = `
import os, pty, sys
answers = sys.argv[1].split('|')
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b''
prompts = 0
while True:
    try:
        got = os.read(fd, 65536)
    except OSError:
        break
    if not got:
        break
    shown += got
    while answers and shown.count(b': ') > prompts and shown.endswith(b': '):
        prompts = shown.count(b': ')
        os.write(fd, answers.pop(0).encode().replace(b'^C', b'\\x03').replace(b'^H', b'\\x7f') + b'\\r')
sys.stdout.write(shown.decode() + '\\n' + str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
`;

describe('a secret that is asked for', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-ask-'));
    await writeFile(join(folder, 'master.key'), masterKeyOf(MASTER_KEY).recoveryKey, { mode: 0o600 });
    await initRepository({ storage: createLocalStorage(join(folder, 'repository')), masterKey: MASTER_KEY });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const type = async (answers: string, command: string): Promise<{ readonly shown: string; readonly code: number }> => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LEAFVAULT_')));
    const { stdout } = await promisify(execFile)('python3', ['-c', TYPIST, answers, process.execPath, MAIN, 'keys', command, '--home', folder], { env: { ...env, LEAFVAULT_LOG_LEVEL: 'silent' } });
    const at = stdout.lastIndexOf('\n');
    return { shown: stdout.slice(0, at), code: Number(stdout.slice(at + 1)) };
  };

  test('on a terminal is not shown, is asked twice where it is new, and is what was typed', async () => {
    const { shown, code } = await type(`x^H${PASSPHRASE}|${PASSPHRASE}`, 'add-passphrase');
    assert.equal(code, 0, shown);
    assert.match(shown, /New passphrase: \r\nThe same again: \r\n.*opens the repository/s);
    assert.ok(!shown.includes('niemand'));
    await proveOpener(createLocalStorage(join(folder, 'repository')), { passphrase: PASSPHRASE });
  });

  test('twice, but not the same, changes nothing; nor does Ctrl-C', async () => {
    const differs = await type(`${PASSPHRASE}|${PASSPHRASE}!`, 'add-passphrase');
    assert.equal(differs.code, 2, differs.shown);
    assert.match(differs.shown, /are not the same/);
    const stopped = await type('five^C', 'add-passphrase');
    assert.equal(stopped.code, 2, stopped.shown);
    assert.match(stopped.shown, /nothing was changed/);
    assert.ok(!stopped.shown.includes('five'));
  });

  test('over a pipe is one line after the other, and none when there are no more', async () => {
    const stdin = new PassThrough();
    stdin.end('one\r\ntwo');
    const input = processInput(stdin, () => assert.fail('nobody is there to read a prompt'));
    assert.deepEqual([input.isTerminal, await input.readLine('?'), await input.readLine('?'), await input.readLine('?')], [false, 'one', 'two', null]);
  });
});
