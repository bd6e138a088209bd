// Keeps the house in order: arrows between rooms, their doors, cycles, owners of outside packages, names, lengths.
import assert from 'node:assert/strict';
import { readFileSync, globSync, existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { before, describe, test } from 'node:test';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '..');
const LONGEST_LINES = 400;
const LONGEST_TEST_LINES = 500;

/** Room -> rooms that it may import. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  foundation: [],
  domain: ['foundation'],
  config: ['foundation', 'domain'],
  storage: ['foundation'],
  repository: ['storage', 'foundation'],
  catalog: ['domain', 'foundation'],
  engine: ['repository', 'domain', 'foundation'],
  jobs: ['engine', 'repository', 'catalog', 'domain', 'foundation'],
  services: ['jobs', 'catalog', 'domain', 'foundation'],
  http: ['services', 'domain', 'foundation'],
  cli: ['config', 'foundation'],
};

/** Rooms without a door: every file of theirs is made to be imported (of composition only by app.ts). */
const OPEN_ROOMS = ['foundation', 'domain', 'composition'];
/** Contracts that other rooms import beside the door. */
const CONTRACT_FILES = ['storage/storage.ts', 'repository/repository.ts', 'engine/contracts.ts', 'services/contracts.ts', 'services/administration-contracts.ts', 'jobs/contracts.ts', 'jobs/queue.ts'];

/** Who may import an outside package. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  mongodb: ['engine/'],
  bson: ['engine/'],
  pg: ['catalog/', 'jobs/postgres-queue'],
  'pg-boss': ['jobs/'],
  kysely: ['catalog/', 'jobs/'],
  fastify: ['http/'],
  commander: ['cli/', 'main.ts'],
  yaml: ['config/'],
  zod: ['config/', 'http/', 'jobs/', 'catalog/', 'services/'],
  pino: ['foundation/'],
  jose: ['services/', 'http/'],
  'prom-client': ['http/'],
  'tar-stream': ['engine/archive'],
  '@aws-sdk/client-s3': ['storage/s3'],
  '@smithy/node-http-handler': ['storage/s3'],
};

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

interface SourceFile {
  /** Relative to src/. */
  readonly path: string;
  readonly room: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

let files: readonly SourceFile[];

before(() => {
  files = globSync('**/*.ts', { cwd: join(ROOT, 'src') }).sort().map(readSource);
});

describe('rooms', () => {
  test('import only along the arrows', () => {
    const wrong = crossings().filter(({ from, to }) => ARROWS[from.room] !== undefined && to.room !== '' && !ARROWS[from.room]?.includes(to.room));
    assert.deepEqual(wrong.map(describeCrossing), []);
  });

  test('are known to the table of arrows', () => {
    const rooms = new Set(files.map((file) => file.room).filter((room) => room !== '' && room !== 'composition'));
    assert.deepEqual([...rooms].filter((room) => ARROWS[room] === undefined), []);
  });

  test('are entered by their door or a contract file', () => {
    const wrong = crossings().filter(({ to }) => !OPEN_ROOMS.includes(to.room) && to.room !== '' && to.path !== `${to.room}/index.ts` && !CONTRACT_FILES.includes(to.path));
    assert.deepEqual(wrong.map(describeCrossing), []);
  });

  test('leave the composition root to main and the command line', () => {
    const wrong = crossings().filter(({ from, to }) => (to.path === 'app.ts' || to.room === 'composition') && !['', 'cli', 'composition'].includes(from.room));
    assert.deepEqual(wrong.map(describeCrossing), []);
  });

  test('give the services nothing of the jobs but the contracts and the queue', () => {
    const wrong = crossings().filter(({ from, to }) => from.room === 'services' && to.room === 'jobs' && !['jobs/contracts.ts', 'jobs/queue.ts'].includes(to.path));
    assert.deepEqual(wrong.map(describeCrossing), []);
  });

  test('import nothing from tests, scripts or the bench', () => {
    const wrong = files.flatMap((file) => file.imports.map((each) => ({ file, target: resolve(file, each) })).filter(({ target }) => target?.startsWith('..')));
    assert.deepEqual(wrong.map(({ file, target }) => `${file.path} -> ${target}`), []);
  });

  test('have a door when they have insides', () => {
    const closed = Object.keys(ARROWS).filter((room) => !OPEN_ROOMS.includes(room) && files.some((file) => file.room === room));
    assert.deepEqual(closed.filter((room) => !existsSync(join(ROOT, 'src', room, 'index.ts'))), []);
  });
});

describe('imports', () => {
  test('make no cycle of values', () => {
    assert.deepEqual(findKnots(), []);
  });

  test('of outside packages come from their owners', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .map(({ specifier }) => packageOf(specifier))
        .filter((name) => name !== null && OWNERS[name] !== undefined && file.room !== 'composition' && !OWNERS[name]?.some((owner) => file.path.startsWith(owner)))
        .map((name) => `${file.path} -> ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('of one facade never reach another facade', () => {
    const facade = (path: string): string | undefined => /^http\/facades\/([^/]+)\//.exec(path)?.[1];
    const wrong = files.flatMap((file) =>
      file.imports
        .map((each) => resolve(file, each))
        .filter((target) => target !== null && facade(file.path) !== undefined && facade(target) !== undefined && facade(target) !== facade(file.path))
        .map((target) => `${file.path} -> ${target}`),
    );
    assert.deepEqual(wrong, []);
  });
});

describe('files', () => {
  test('have kebab-case names', () => {
    const all = globSync('{src,test,scripts,bench}/**/*.ts', { cwd: ROOT });
    assert.deepEqual(all.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|contract|as))?\.ts$/.test(basename(path))), []);
  });

  test('avoid names that say nothing', () => {
    assert.deepEqual(files.filter(({ path }) => /(^|\/)(utils?|helpers?|common|misc|manager|base|types)(\.ts|\/)/.test(path)).map(({ path }) => path), []);
  });

  test('stay short enough to be read at once', (context) => {
    const longest = [...files].sort((a, b) => b.lines - a.lines).slice(0, 5);
    context.diagnostic(`longest: ${longest.map(({ path, lines }) => `${path} ${lines}`).join(', ')}`);
    assert.deepEqual(files.filter(({ lines }) => lines > LONGEST_LINES).map(({ path, lines }) => `${path}: ${lines}`), []);
    const tests = globSync('test/**/*.ts', { cwd: ROOT }).map((path) => ({ path, lines: lineCount(join(ROOT, path)) }));
    assert.deepEqual(tests.filter(({ lines }) => lines > LONGEST_TEST_LINES).map(({ path, lines }) => `${path}: ${lines}`), []);
  });

  test('are where ARCHITECTURE.md says', () => {
    const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/`((?:src|test|docs|scripts|bench)\/[A-Za-z0-9_./-]*)`/g)].map((match) => match[1] ?? '');
    assert.ok(named.length > 10, 'ARCHITECTURE.md names the places of the house');
    assert.deepEqual(named.filter((path) => !existsSync(join(ROOT, path))), []);
  });
});

interface Crossing {
  readonly from: SourceFile;
  readonly to: { readonly path: string; readonly room: string };
}

/** Imports from one room into another; `room` is empty for files directly below src/. */
function crossings(): Crossing[] {
  return files.flatMap((from) =>
    from.imports
      .map((each) => resolve(from, each))
      .filter((target) => target !== null && !target.startsWith('..'))
      .map((target) => ({ from, to: { path: target ?? '', room: roomOf(target ?? '') } }))
      .filter(({ to }) => to.room !== from.room),
  );
}

function describeCrossing({ from, to }: Crossing): string {
  return `${from.path} -> ${to.path}`;
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, 'src', path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, typeOnly: isTypeOnly(node.importClause) });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const names = node.exportClause && ts.isNamedExports(node.exportClause) ? node.exportClause.elements : [];
      imports.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly || (names.length > 0 && names.every((each) => each.isTypeOnly)) });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments[0] && ts.isStringLiteral(node.arguments[0])) {
      imports.push({ specifier: node.arguments[0].text, typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { path, room: roomOf(path), lines: text.split('\n').length - 1, imports };
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  return clause.name === undefined && names !== undefined && ts.isNamedImports(names) && names.elements.length > 0 && names.elements.every((each) => each.isTypeOnly);
}

function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : '';
}

function lineCount(path: string): number {
  return readFileSync(path, 'utf8').split('\n').length - 1;
}

/** Path of an own import relative to src/, or null for a package. */
function resolve(file: SourceFile, { specifier }: Import): string | null {
  return specifier.startsWith('.') ? relative('src', join('src', dirname(file.path), specifier)) : null;
}

function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null;
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Groups of files that reach each other by value imports (Tarjan's strongly connected components). */
function findKnots(): string[][] {
  const edges = new Map(files.map((file) => [file.path, file.imports.filter((each) => !each.typeOnly).map((each) => resolve(file, each)).filter((target) => target !== null)]));
  const seen = new Map<string, { index: number; low: number; open: boolean }>();
  const stack: string[] = [];
  const knots: string[][] = [];
  const walk = (path: string): { index: number; low: number; open: boolean } => {
    const state = { index: seen.size, low: seen.size, open: true };
    seen.set(path, state);
    stack.push(path);
    for (const next of edges.get(path) ?? []) {
      const known = seen.get(next);
      if (known === undefined) state.low = Math.min(state.low, walk(next).low);
      else if (known.open) state.low = Math.min(state.low, known.index);
    }
    if (state.low === state.index) {
      const knot = stack.splice(stack.indexOf(path));
      for (const member of knot) (seen.get(member) as { open: boolean }).open = false;
      if (knot.length > 1 || edges.get(path)?.includes(path)) knots.push(knot.sort());
    }
    return state;
  };
  for (const path of edges.keys()) if (!seen.has(path)) walk(path);
  return knots;
}
