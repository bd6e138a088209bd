// Made the golden repository `v1-keys` from `v1`, once: the same objects, opened by two master keys and a passphrase. `node scripts/make-golden-keys.ts`
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openKeySlots } from '../src/repository/index.ts';
import { createLocalStorage } from '../src/storage/index.ts';
import { MASTER_KEY } from '../test/support/repository-fixture.ts';

const golden = join(import.meta.dirname, '../test/fixtures/golden');
const [from, to] = [join(golden, 'v1'), join(golden, 'v1-keys')];
await cp(join(from, 'store'), join(to, 'store'), { recursive: true, force: false, errorOnExist: true });
const slots = await openKeySlots({ storage: createLocalStorage(join(to, 'store')), opener: MASTER_KEY });
const masterKey = Buffer.alloc(32, 8);
const passphrase = 'grün: five words, one of them odd';
await slots.addMasterKey(masterKey);
await slots.addPassphrase(passphrase);
const expected = JSON.parse(await readFile(join(from, 'expected.json'), 'utf8')) as Record<string, unknown>;
await writeFile(join(to, 'expected.json'), `${JSON.stringify({ ...expected, openers: { masterKey: masterKey.toString('hex'), passphrase } }, null, 1)}\n`);
console.log(`${(await slots.list()).length} slots are in ${to}`);
