// Writes the pages of docs/reference/ that are made from code: `npm run docs`.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settingsReference } from '../src/config/index.ts';

const folder = join(import.meta.dirname, '../docs/reference');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'settings.md'), settingsReference());
