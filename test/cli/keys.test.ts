// `leafvault keys` on a store and a key file: passphrases, further keys, the kit, and that no secret is told where none is asked for.
import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { runCli } from '../../src/cli/index.ts';
import { processInput } from '../../src/cli/ask-secret.ts';
import { masterKeyOf } from '../../src/composition/master-key.ts';
import { masterKeyFrom } from '../../src/services/index.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { startExternal } from '../support/postgres.ts';
import { MASTER_KEY, openTestRepository, randomChunks, writeSnapshot } from '../support/repository-fixture.ts';

interface Run { readonly code: number; readonly out: string; readonly err: string }

const KEY = masterKeyOf(MASTER_KEY);
const PASSPHRASE = 'five words that nobody guesses';

describe('leafvault keys', { timeout: 900_000 }, () => {
  let folder: string;
  let database: Awaited<ReturnType<typeof startExternal>>;
  const keyFile = (): string => join(folder, 'home/master.key');

  async function run(argv: readonly string[], { typed = [], env = {} }: { readonly typed?: readonly string[]; readonly env?: Record<string, string> } = {}): Promise<Run> {
    let out = '';
    let err = '';
    const stdin = new PassThrough();
    stdin.end(typed.map((line) => `${line}\n`).join(''));
    const [command = '', ...rest] = argv;
    const code = await runCli({
      argv: command === 'check' ? [command, '--home', join(folder, 'home'), ...rest] : ['keys', command, '--home', join(folder, 'home'), ...rest],
      env: { LEAFVAULT_LOG_LEVEL: 'silent', LEAFVAULT_DATABASE_URL: database.url, ...env }, cwd: folder,
      readFile: (path) => readFileSync(path, 'utf8'),
      out: (text) => { out += text; },
      err: (text) => { err += text; },
      input: processInput(stdin, () => assert.fail('a pipe is not prompted')),
      stop: new AbortController().signal,
    });
    return { code, out, err };
  }
  const ok = async (argv: readonly string[], options?: Parameters<typeof run>[1]): Promise<string> => {
    const { code, out, err } = await run(argv, options);
    assert.equal(code, 0, err);
    return out;
  };
  const slotIn = (text: string): string => /slot ([0-9a-f]{24})/.exec(text)?.[1] ?? assert.fail(text);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-keys-'));
    database = await startExternal();
    await mkdir(join(folder, 'home'));
    await writeFile(keyFile(), KEY.recoveryKey, { mode: 0o600 });
    const repository = await openTestRepository(createLocalStorage(join(folder, 'home/repository')));
    await writeSnapshot(repository, { a: randomChunks(3, 300) });
    await repository.close();
  });
  after(async () => {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('add-passphrase takes it from a pipe or a file, and test, list and check open with it', async () => {
    const id = slotIn(await ok(['add-passphrase'], { typed: [PASSPHRASE] }));
    const file = join(folder, 'passphrase');
    await writeFile(file, `${PASSPHRASE}\nand a second line\n`);
    const env = { LEAFVAULT_PASSPHRASE_FILE: file };
    assert.match(await ok(['test', '--passphrase'], { env }), new RegExp(`passphrase opens .* slot ${id}`));
    assert.match(await ok(['list', '--passphrase', '--master-key-file', '/nowhere'], { typed: [PASSPHRASE] }), /opened with the passphrase[\s\S]*passphrase +- +2.*opens with the key in hand/);
    assert.match(await ok(['check', '--passphrase', '--read-data', '--master-key-file', '/nowhere'], { env }), /1 snapshots.*no problems/);
    assert.match(await ok(['remove', id]), /is gone/);
    assert.equal((await run(['test', '--passphrase'], { env })).code, 6);
  });

  test('says why a passphrase is not taken, and what to do where none came', async () => {
    const weak = await run(['add-passphrase'], { typed: ['hunter2'] });
    assert.deepEqual([weak.code, /7 characters, 12 are due/.test(weak.err), /HINT/.test(weak.err)], [6, true, true]);
    assert.doesNotMatch(weak.err + weak.out, /hunter2/);
    for (const [options, why] of [[{}, /nothing came/], [{ env: { LEAFVAULT_PASSPHRASE_FILE: '/nowhere' } }, /nowhere/]] as const) {
      const { code, err } = await run(['test', '--passphrase'], options);
      assert.equal(code, 2);
      assert.match(err, why);
      assert.match(err, /HINT: .*LEAFVAULT_PASSPHRASE_FILE/);
    }
    assert.equal((await run(['add-passphrase', '--passphrase', 'x'])).code, 2, 'never a flag');
  });

  test('list shows what would open it, also where nothing in hand does', async () => {
    await writeFile(join(folder, 'wrong.key'), masterKeyOf(Buffer.alloc(32, 9)).recoveryKey, { mode: 0o600 });
    for (const [file, why] of [['wrong.key', /opens none of its slots/], ['none.key', /no key in hand/]] as const) {
      const { code, out } = await run(['list', '--master-key-file', join(folder, file)]);
      assert.equal(code, 6);
      assert.match(out, why);
      assert.ok(out.includes(KEY.id), 'the id of the key that is needed');
    }
  });

  test('test proves a recovery key that is typed in, and tells a wrong letter from a wrong key', async () => {
    assert.match(await ok(['test', '--recovery-key'], { typed: [` ${KEY.recoveryKey.toLowerCase()}`] }), /recovery key opens/);
    const letter = await run(['test', '--recovery-key'], { typed: [KEY.recoveryKey.replace(/.$/, (last) => (last === '7' ? '8' : '7'))] });
    assert.deepEqual([letter.code, /a character of it is wrong/.test(letter.err)], [4, true]);
    const other = await run(['test', '--recovery-key'], { typed: [masterKeyOf(Buffer.alloc(32, 9)).recoveryKey] });
    assert.deepEqual([other.code, /fits none of its key slots/.test(other.err)], [6, true]);
  });

  test('add-key makes a file for its owner alone that opens the repository, also with a passphrase in hand', async () => {
    const passphraseSlot = slotIn(await ok(['add-passphrase'], { typed: [PASSPHRASE] }));
    assert.match(await ok(['add-key', 'second.key', '--passphrase', '--master-key-file', '/nowhere'], { typed: [PASSPHRASE] }), /made now,/);
    assert.equal((await stat(join(folder, 'second.key'))).mode & 0o777, 0o600);
    const id = slotIn(await ok(['test', '--master-key-file', join(folder, 'second.key')]));
    assert.match(await ok(['add-key', 'second.key']), /already/);
    // A passphrase alone may not take a master key away.
    const refused = await run(['remove', id, '--passphrase', '--master-key-file', '/nowhere'], { typed: [PASSPHRASE] });
    assert.equal(refused.code, 4, refused.err);
    for (const each of [id, passphraseSlot]) await ok(['remove', each]);
    const [first] = (JSON.parse(await ok(['list', '--json'])) as { readonly slots: readonly { readonly id: string }[] }).slots;
    const last = await run(['remove', first?.id ?? '']);
    assert.deepEqual([last.code, /no other one opens/.test(last.err)], [6, true]);
  });

  test('kit goes into a file for its owner alone, is never written over, and test-kit opens the repository with it alone', async () => {
    for (const name of ['kit.txt', 'kit.html']) {
      await ok(['kit', '--out', name]);
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
      assert.match(await ok(['test-kit', name, '--master-key-file', '/nowhere']), /opens the repository .*: 1 snapshots, the newest of 2/);
      const again = await run(['kit', '--out', name]);
      assert.deepEqual([again.code, /EEXIST/.test(again.err)], [4, true]);
    }
    assert.equal((await readdir(folder)).filter((name) => name.startsWith('kit')).length, 2);
    assert.match(await readFile(join(folder, 'kit.html'), 'utf8'), /&lt;snapshot id&gt;/);
    const printed = await ok(['kit']);
    assert.equal(printed, await readFile(join(folder, 'kit.txt'), 'utf8'));
    // As a person types it from paper: only the lines that count, in any case, with a wrong letter, of another repository.
    const lines = printed.split('\n').filter((line) => /^ {2}(recovery key|repository|store) /.test(line)).join('\r\n');
    const typed = async (text: string): Promise<Run> => {
      await writeFile(join(folder, 'typed.txt'), text);
      return run(['test-kit', 'typed.txt']);
    };
    assert.equal((await typed(lines.replace(/LV1-.*/, (key) => key.toLowerCase()))).code, 0);
    assert.match((await typed(lines.replace(/(LV1-.*)./, '$1%'))).err, /not whole/);
    assert.match((await typed(lines.replace(/(repository +)[0-9a-f]{4}/, '$1ffff'))).err, /was made for the repository ffff/);
    assert.match((await typed('nothing')).err, /no line "recovery key"/);
  });

  test('rotate changes the key file, an old kit says so as long as its key is good, and remove retires it everywhere', async () => {
    const [old] = (JSON.parse(await ok(['list', '--json'])) as { readonly slots: readonly { readonly id: string }[] }).slots;
    const out = await ok(['rotate']);
    for (const text of [/proven: it opens the catalog, and the repository/, /old key still opens both/, /copy the key file to every machine/, /keys kit/]) assert.match(out, text);
    const now = await readFile(keyFile(), 'utf8');
    assert.ok(!now.includes(KEY.recoveryKey) && !out.includes(now.trim()));
    assert.match(await ok(['list']), /still good: `leafvault keys rotate --resume --remove-old-slot`/);
    assert.match(await ok(['test-kit', 'kit.txt']), /WARNING: the master key was changed after this kit was made/);
    assert.match(await ok(['remove', old?.id ?? '']), /is gone from the store/);
    assert.deepEqual((await readdir(join(folder, 'home'))).filter((name) => name.startsWith('master')), ['master.key']);
    const kit = await run(['test-kit', 'kit.txt']);
    assert.deepEqual([kit.code, /fits none of its key slots/.test(kit.err)], [6, true]);
    await writeFile(join(folder, 'old.key'), KEY.recoveryKey, { mode: 0o600 });
    assert.match(await ok(['rotate', '--resume']), /no rotation to go on with/);
    const other = await run(['rotate', '--master-key-file', join(folder, 'old.key')]);
    assert.equal(other.code, 6, other.err);
    assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith('old.key')), ['old.key'], 'a key that opens nothing begins no rotation');
    const link = join(folder, 'link.key');
    await symlink(keyFile(), link);
    await ok(['rotate', '--remove-old-slot', '--master-key-file', link]);
    assert.ok((await lstat(link)).isSymbolicLink(), 'the file is replaced, not the link to it');
    await ok(['test']);
  });

  test('rotate warns of a second copy that the new key does not open, and retires nothing before it does', async () => {
    const copy = join(folder, 'copy');
    const env = { LEAFVAULT_REPOSITORY_COPIES: `file:${copy}` };
    assert.match(await ok(['rotate'], { env }), /WARNING: the copy in file:.*copy does not open with the new key yet.*leafvault copy/);
    const refused = await run(['rotate', '--resume', '--remove-old-slot'], { env });
    assert.deepEqual([refused.code, /was refused: the copy in file:.*\/copy/.test(refused.err), /HINT: .*`leafvault copy`/.test(refused.err)], [4, true, true], refused.err);
    const repository = await openTestRepository(createLocalStorage(join(folder, 'home/repository')), { masterKey: masterKeyFrom(await readFile(keyFile(), 'utf8')) });
    await repository.copyTo({ to: createLocalStorage(copy) });
    await repository.close();
    assert.match(await ok(['rotate', '--remove-old-slot'], { env }), /is gone from the store/);
    await ok(['test', '--repository-store', `file:${copy}`]);
  });
});
