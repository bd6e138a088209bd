import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { copyTemplate, type Template } from './server-template.ts';

const ON_WINDOWS = process.platform === 'win32' && 'templates are not used on Windows';

describe('a template of a server', { skip: ON_WINDOWS }, () => {
  let base: string;
  before(async () => { base = await mkdtemp(join(tmpdir(), 'leafvault-template-')); });
  after(() => rm(base, { recursive: true, force: true }));

  interface Place { readonly template: Template; readonly target: (name: string) => string; made: number }

  async function place(): Promise<Place> {
    const folder = await mkdtemp(join(base, 'run-'));
    const found = {
      made: 0,
      target: (name: string): string => join(folder, name),
      template: {
        name: 'server', of: 'data', folder,
        async make(staging: string): Promise<void> {
          found.made += 1;
          await mkdir(join(staging, 'data'));
          await chmod(join(staging, 'data'), 0o750);
          await writeFile(join(staging, 'data', 'rows'), 'of the first');
        },
      },
    };
    return found;
  }

  test('is made once, and a copy is its own, with the modes of what was made', async () => {
    const found = await place();
    assert.equal(await copyTemplate(found.template, found.target('one')), true);
    await writeFile(join(found.target('one'), 'rows'), 'changed');
    assert.equal(await copyTemplate(found.template, found.target('two')), true);
    assert.equal(found.made, 1);
    assert.equal(await readFile(join(found.target('two'), 'rows'), 'utf8'), 'of the first');
    assert.equal((await stat(found.target('two'))).mode & 0o777, 0o750);
  });

  test('that another process is making is not waited for', async () => {
    const found = await place();
    let seen: boolean | undefined;
    const make = async (staging: string): Promise<void> => {
      seen = await copyTemplate(found.template, found.target('other'));
      await found.template.make(staging);
    };
    assert.equal(await copyTemplate({ ...found.template, make }, found.target('first')), true);
    assert.equal(seen, false);
    assert.equal(found.made, 1);
  });

  test('that could not be made is done without, and leaves nothing half made', async () => {
    const found = await place();
    const make = (): Promise<void> => Promise.reject(new Error('no room'));
    await assert.rejects(copyTemplate({ ...found.template, make }, found.target('first')), /no room/);
    assert.equal(await copyTemplate(found.template, found.target('second')), false);
    assert.deepEqual(await readdir(found.template.folder ?? ''), ['server.made']);
  });

  test('is none without a folder for it', async () => {
    const { template, target } = await place();
    assert.equal(await copyTemplate({ ...template, folder: '' }, target('one')), false);
  });
});
