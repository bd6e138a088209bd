// The pages of docs/reference/ that are made from code, as text. `npm run docs` writes them, a test compares them.
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT_CODES, runCli } from '../src/cli/index.ts';
import { settingsReference } from '../src/config/index.ts';

const ROOT = join(import.meta.dirname, '..');
const COMMANDS = ['serve', 'worker', 'check', 'copy', 'prune', 'status', 'clusters', 'jobs', 'jobs cancel', 'drill', 'drills', 'schedule preview', 'keys',
  ...['list', 'test', 'rotate', 'add-passphrase', 'add-key', 'remove', 'kit', 'test-kit'].map((name) => `keys ${name}`), 'snapshots list', 'snapshots pin', 'snapshots unpin', 'snapshots hold', 'snapshots release', 'compliance release', 'rescue', 'dump-catalog', 'roles', 'version'];

/** File name below docs/reference/ -> content. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['settings.md', settingsReference()],
    ['errors.md', await errorsPage()],
    ['cli.md', await cliPage()],
  ]);
}

async function errorsPage(): Promise<string> {
  const sections = (await errorTables()).map(({ room, codes }) =>
    [`## ${room}`, '', '| code | means |', '| --- | --- |', ...Object.entries(codes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`), ''].join('\n'),
  );
  return [
    '# Error codes', '', 'Written by `npm run docs` from the `errors.ts` of each room; edit there.', '',
    'Every failure that Leafvault raises on purpose has one of these codes, a message with operation, subject and reason, and where',
    'it helps a hint. What an API makes of a code stands in the page of that API; exit codes of the command line in [cli](cli.md).', '',
    ...sections,
  ].join('\n');
}

/** Tables `CODE -> meaning` of all rooms; the facades' own tables have another shape and are left to their pages. */
async function errorTables(): Promise<{ readonly room: string; readonly codes: Readonly<Record<string, string>> }[]> {
  const found: { room: string; codes: Record<string, string> }[] = [];
  for await (const path of glob('src/**/errors.ts', { cwd: ROOT })) {
    const exported = (await import(join(ROOT, path))) as Readonly<Record<string, unknown>>;
    const codes = Object.values(exported).filter(isCodeTable);
    if (codes.length > 0) found.push({ room: path.replace(/^src\/|\/errors\.ts$/g, ''), codes: Object.assign({}, ...codes) as Record<string, string> });
  }
  return found.sort((a, b) => (a.room < b.room ? -1 : 1));
}

function isCodeTable(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null) return false;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([code, meaning]) => /^[A-Z][A-Z0-9_]+$/.test(code) && typeof meaning === 'string');
}

async function cliPage(): Promise<string> {
  const helps = await Promise.all(COMMANDS.map(async (command) => `## ${command}\n\n\`\`\`\n${(await help(command)).trim()}\n\`\`\`\n`));
  const codes = Object.values(EXIT_CODES).map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return [
    '# Command line', '', 'Written by `npm run docs` from what `leafvault <command> --help` says.', '',
    '`npx leafvault` runs it after `npm ci`; `npm start -- <flags>` is `leafvault serve <flags>`.', '',
    '| exit code | means |', '| --- | --- |', ...codes, '', ...helps,
  ].join('\n');
}

async function help(command: string): Promise<string> {
  let text = '';
  await runCli({
    argv: [...command.split(' '), '--help'], env: {}, cwd: '/',
    readFile: () => { throw new Error('Help reads no file'); },
    out: (part) => { text += part; },
    err: (part) => { text += part; },
    stop: new AbortController().signal,
  });
  return text;
}
