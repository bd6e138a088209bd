// `npm run docs`: writes the pages of docs/reference/ that are made from code.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { referencePages } from './reference-pages.ts';

const folder = join(import.meta.dirname, '../docs/reference');
await mkdir(folder, { recursive: true });
for (const [name, content] of await referencePages()) await writeFile(join(folder, name), content);
