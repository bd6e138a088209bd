// Lint rules: what a reader relies on (arrows between rooms, no floating promises, no hidden clock or environment).
import tseslint from 'typescript-eslint';

const ROOMS = ['foundation', 'domain', 'config', 'storage', 'repository', 'catalog', 'engine', 'jobs', 'services', 'http', 'cli', 'composition'];

// Room -> rooms it may import (ARCHITECTURE.md). test/layout.test.ts checks the same table and more.
const ARROWS = {
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

const arrows = Object.entries(ARROWS).map(([room, allowed]) => ({
  files: [`src/${room}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: ROOMS.filter((other) => other !== room && !allowed.includes(other)).map((other) => `../**/${other}/**`),
            message: `The room ${room} may import only: ${allowed.join(', ') || 'nothing of ours'} (ARCHITECTURE.md)`,
          },
        ],
      },
    ],
  },
}));

const outsideWorld = [
  { selector: "MemberExpression[object.name='process'][property.name='env']", message: 'Only main.ts reads the environment; take an option' },
  { selector: "MemberExpression[object.name='process'][property.name='argv']", message: 'Only main.ts reads the arguments' },
  { selector: "CallExpression[callee.object.name='process'][callee.property.name='exit']", message: 'Only main.ts ends the process; throw' },
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'Take a Clock (foundation/clock.ts)' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take a Clock (foundation/clock.ts)' },
];

export default tseslint.config(
  { ignores: ['node_modules/', 'leafvault-data/', '**/*.d.ts', '.cache/', 'tools/', '**/*.as.ts'] },
  {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] }] }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all', caughtErrorsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true, allowThrowingAny: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } }],
      'no-debugger': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/foundation/**', 'src/main.ts'],
    rules: { 'no-restricted-syntax': ['error', ...outsideWorld] },
  },
  ...arrows,
);
