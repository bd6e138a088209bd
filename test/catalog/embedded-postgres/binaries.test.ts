// The server's programs where npm leaves them unfinished, or where the server's user can't walk.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { canReach, serverAccount } from '../../../src/catalog/embedded-postgres/account.ts';
import { completeInPlace, copyTo, prepareBinaries } from '../../../src/catalog/embedded-postgres/binaries.ts';
import { startError } from '../../../src/catalog/embedded-postgres/data-folder.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65534, gid: 65534 };

describe('the programs of the embedded PostgreSQL', () => {
  let folder: string;
  let native: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-binaries-'));
    native = dirname(dirname((await prepareBinaries(serverAccount(), folder)).postgres));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('run once their links were made, by two processes at once and again', async () => {
    const copy = join(folder, 'bare', 'native');
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { readonly target: string }[];
    assert.ok(links.length > 5);
    for (const { target } of links) await rm(join(copy, '..', target), { force: true });
    await chmod(join(copy, 'bin', 'postgres'), 0o644);
    const broken = spawnSync(join(copy, 'bin', 'initdb'), ['--version']);
    assert.notEqual(broken.status, 0);
    assert.deepEqual(await Promise.all([completeInPlace(copy), completeInPlace(copy)]), [true, true]);
    assert.equal(await completeInPlace(copy), true);
    for (const { target } of links) assert.ok((await lstat(join(copy, '..', target))).isSymbolicLink());
    for (const program of ['initdb', 'postgres']) assert.equal(spawnSync(join(copy, 'bin', program), ['--version']).status, 0);
  });

  test('are copied to where the server\'s user can walk, by two processes at once', { skip: isRoot ? false : 'only root runs the server as another user' }, async () => {
    const closed = join(folder, 'only-root');
    await cp(join(native, '..'), closed, { recursive: true, verbatimSymlinks: true });
    await chmod(closed, 0o700);
    await chmod(folder, 0o755);
    const place = join(folder, 'place');
    assert.equal(await canReach(NOBODY, join(closed, 'native')), false);
    const [one, two] = await Promise.all([copyTo(NOBODY, join(closed, 'native'), place), copyTo(NOBODY, join(closed, 'native'), place)]);
    assert.ok(one !== null && one === two);
    assert.equal(spawnSync(join(one, 'bin', 'postgres'), ['--version'], { ...NOBODY, cwd: '/' }).status, 0);
    const { ino } = await stat(join(one, 'bin', 'postgres'));
    assert.equal(await copyTo(NOBODY, join(closed, 'native'), place), one);
    assert.equal((await stat(join(one, 'bin', 'postgres'))).ino, ino);
    // A place where others may write could be given other programs.
    await chmod(place, 0o777);
    assert.equal(await copyTo(NOBODY, join(closed, 'native'), place), null);
  });

  test('are named missing on a platform without a package', async () => {
    await assert.rejects(prepareBinaries(null, folder, 'aix-ppc64'), { code: 'CATALOG_BINARIES_MISSING', hint: /LEAFVAULT_DATABASE_URL/, message: /aix-ppc64/ });
  });

  test('are out of reach below a folder that only its owner may enter', async () => {
    const closed = join(folder, 'closed');
    await mkdir(join(closed, 'below'), { recursive: true });
    await chmod(closed, 0o700);
    assert.equal(await canReach({ uid: 65534, gid: 65534 }, join(closed, 'below')), false);
    assert.equal(await canReach(null, join(closed, 'below')), true);
    await chmod(closed, 0o711);
    await chmod(folder, 0o755);
    assert.equal(await canReach({ uid: 65534, gid: 65534 }, join(closed, 'below')), true);
    assert.ok((await stat(closed)).isDirectory());
  });

  test('tell of a full disk and of a user without a name in our words', async () => {
    assert.equal((await startError('could not write file: No space left on device', 'Starting', folder)).code, 'CATALOG_DISK_FULL');
    const nameless = await startError('initdb: error: could not look up effective user ID 12345: user does not exist', 'Starting', folder);
    assert.equal(nameless.code, 'CATALOG_SERVER_FAILED');
    assert.match(nameless.hint ?? '', /passwd/);
  });
});
