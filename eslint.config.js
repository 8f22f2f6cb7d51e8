import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The rooms of the project and which way imports may point (ARCHITECTURE.md):
 * core ← mesh, delivery ← adapters ← activities ← workers ← cli. Workflows take values from Temporal's workflow API and
 * their own folder alone. Tests, testbed and bench may import anything.
 */
const rooms = [
  'core',
  'mesh',
  'delivery',
  'adapters',
  'activities',
  'workflows',
  'workers',
  'cli',
  'scripts',
  'testbed',
  'bench',
  'test',
  'deploy',
  'examples',
];

/** A relative path that climbs out of its own room and enters one of these. */
const enters = (names) => `^(\\.\\./)+(${names.join('|')})/`;

const roomsExcept = (...allowed) => rooms.filter((room) => !allowed.includes(room));

const closedRooms = (room, allowed) => ({
  regex: enters(roomsExcept(...allowed)),
  message: `${room} may import ${allowed.join(', ') || 'nothing outside itself'} (see CONTRIBUTING.md, Rooms).`,
});

const temporalIsElsewhere = {
  regex: '^@temporalio/',
  message: 'Only activities/temporal.ts, workflows, workers and cli know Temporal.',
};

const outsideWorld = {
  regex:
    '^(node:)?(fs|net|tls|dgram|dns|http|https|http2|child_process|cluster|worker_threads|os|process|timers|perf_hooks|readline|repl|vm|inspector)(/|$)',
  message: 'Pure: no input or output, no clock, no environment. Take it as an argument.',
};

const onlyTemporalWorkflowApi = {
  regex: '^(?!\\.{1,2}/|@temporalio/(workflow|common)(/|$))',
  allowTypeImports: true,
  message:
    'The workflow bundle holds @temporalio/workflow, @temporalio/common and workflows/** alone: use `import type`.',
};

const onlyOwnFolders = {
  regex: enters(roomsExcept('workflows')),
  allowTypeImports: true,
  message: 'Workflows import other rooms by `import type` only, so that an edit there cannot break a replay.',
};

const imports = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only.',
};
const noBarrel = [
  { selector: 'ExportAllDeclaration', message: 'No barrel files: import from the file that defines it.' },
  {
    selector: 'ExportNamedDeclaration[source][exportKind="value"]',
    message: 'No barrel files: import from the file that defines it.',
  },
];
const noEnvironment = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'The environment is read in workers/config, cli and scripts alone; take the value as an argument.',
};
const pureSyntax = [
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'No clock in core: take the time as an argument.',
  },
  { selector: 'CallExpression[callee.name="Date"]', message: 'No clock in core: take the time as an argument.' },
  {
    selector: 'ImportExpression[source.value=/^node:(?!crypto)/]',
    message: 'Pure: no input or output, no clock, no environment.',
  },
];
/** Values that a run would leave behind for the next one in the same isolate. */
const noModuleState = [
  {
    selector:
      'Program > VariableDeclaration[kind!="const"], Program > ExportNamedDeclaration > VariableDeclaration[kind!="const"]',
    message: 'No module-level state in workflows: a run would see what another one left. Keep it in the state.',
  },
  ...['Program > VariableDeclaration', 'Program > ExportNamedDeclaration > VariableDeclaration'].map((top) => ({
    selector: `${top} > VariableDeclarator > NewExpression[callee.name=/^(Map|Set|WeakMap|WeakSet|Array)$/]`,
    message: 'No module-level collections in workflows: a run would see what another one left. Keep it in the state.',
  })),
  ...['Program > VariableDeclaration', 'Program > ExportNamedDeclaration > VariableDeclaration'].map((top) => ({
    selector: `${top} > VariableDeclarator:not([id.typeAnnotation]):matches([init.type="ArrayExpression"], [init.type="ObjectExpression"])`,
    message:
      'A module-level list or table in workflows is declared readonly (a type, or `as const`): nobody may change it.',
  })),
  ...['Program > VariableDeclaration', 'Program > ExportNamedDeclaration > VariableDeclaration'].map((top) => ({
    selector: `${top} > VariableDeclarator[id.typeAnnotation.typeAnnotation.type="TSArrayType"], ${top} > VariableDeclarator[id.typeAnnotation.typeAnnotation.typeName.name=/^(Array|Map|Set|Record)$/]`,
    message: 'A module-level list or table in workflows is declared readonly: nobody may change it.',
  })),
];
const syncValidators = [
  {
    selector: 'Property[key.name="validator"] > :matches(ArrowFunctionExpression, FunctionExpression)[async=true]',
    message: 'A validator is synchronous: the promise of an async one is dropped, so it never refuses anything.',
  },
];
/** An id that is put together cannot be compared with the list of versions. */
const literalPatches = [
  {
    selector: 'CallExpression[callee.name=/^(patched|deprecatePatch)$/]:not([arguments.0.type="Literal"])',
    message: 'The id of a patch is written out, so that workflows/shared/versions.ts can be checked against it.',
  },
];
const pureProperties = [
  { object: 'Date', property: 'now', message: 'No clock in core: take the time as an argument.' },
  { object: 'performance', property: 'now', message: 'No clock in core: take the time as an argument.' },
  { object: 'Math', property: 'random', message: 'Chance in core comes from a given seed.' },
];

const syntax = (...more) => ({ 'no-restricted-syntax': ['error', noDefaultExport, ...noBarrel, ...more] });

const tests = ['**/*.test.ts'];

export default defineConfig(
  { ignores: ['node_modules/', '.psmg/', '**/node_modules/', '**/.psmg/'] },
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [tseslint.configs.base],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      'no-control-regex': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      ...syntax(),
    },
  },
  // Types of plain JavaScript are written by hand, and the compiler's own files do not hold them.
  { files: ['**/*.d.mts'], extends: [tseslint.configs.disableTypeChecked] },
  {
    files: ['**/*.js', '**/*.mjs'],
    ignores: ['*.config.js'],
    rules: { eqeqeq: 'error', 'no-var': 'error', 'prefer-const': 'error', ...syntax() },
  },

  {
    files: ['core/**/*.ts'],
    ignores: tests,
    rules: {
      ...imports(closedRooms('core', ['core']), temporalIsElsewhere, outsideWorld),
      ...syntax(noEnvironment, ...pureSyntax),
      'no-restricted-properties': ['error', ...pureProperties],
    },
  },
  {
    files: ['mesh/**/*.ts'],
    ignores: tests,
    rules: {
      ...imports(closedRooms('mesh', ['core', 'mesh']), temporalIsElsewhere, outsideWorld),
      ...syntax(noEnvironment),
    },
  },
  {
    files: ['delivery/**/*.ts'],
    ignores: tests,
    rules: { ...imports(closedRooms('delivery', ['core', 'delivery']), temporalIsElsewhere), ...syntax(noEnvironment) },
  },
  {
    files: ['adapters/**/*.ts'],
    ignores: tests,
    rules: {
      ...imports(closedRooms('adapters', ['core', 'mesh', 'delivery', 'adapters']), temporalIsElsewhere),
      ...syntax(noEnvironment),
    },
  },
  {
    files: ['activities/**/*.ts'],
    ignores: [...tests, 'activities/temporal.ts'],
    rules: {
      ...imports(
        closedRooms('activities', ['core', 'mesh', 'delivery', 'adapters', 'activities']),
        temporalIsElsewhere,
      ),
      ...syntax(noEnvironment),
    },
  },
  {
    files: ['activities/temporal.ts'],
    rules: {
      ...imports(closedRooms('activities', ['core', 'mesh', 'delivery', 'adapters', 'activities'])),
      ...syntax(noEnvironment),
    },
  },
  {
    files: ['workflows/**/*.ts'],
    ignores: tests,
    rules: {
      ...imports(onlyTemporalWorkflowApi, onlyOwnFolders),
      ...syntax(noEnvironment, ...noModuleState, ...syncValidators, ...literalPatches),
    },
  },
  {
    // The one file that Temporal's bundler enters by: it must name every workflow.
    files: ['workflows/index.ts'],
    rules: { 'no-restricted-syntax': ['error', noDefaultExport, noEnvironment] },
  },
  {
    files: ['workers/**/*.ts'],
    ignores: tests,
    rules: {
      ...imports(
        {
          regex: enters(['cli', 'testbed', 'bench', 'test']),
          message: 'workers may import activities and below, and the workflows they register.',
        },
        { regex: '^(\\.\\./)+scripts/(?!parts/locate\\.js$)', message: 'Of scripts only parts/locate is for workers.' },
        { regex: '^@temporalio/activity', message: 'Only activities/temporal.ts imports @temporalio/activity.' },
      ),
      ...syntax(noEnvironment),
    },
  },
  { files: ['workers/config.ts', 'workers/config/**/*.ts'], ignores: tests, rules: syntax() },
  {
    files: ['cli/**/*.ts'],
    ignores: tests,
    rules: imports(
      {
        regex: enters(['testbed', 'bench', 'test']),
        message: 'cli may import workers and below.',
      },
      {
        regex: '^(\\.\\./)+scripts/(?!(parts/locate|catalogue/catalogue)\\.js$)',
        message: 'Of scripts only parts/locate and catalogue/catalogue are for the cli.',
      },
      { regex: '^@temporalio/activity', message: 'Only activities/temporal.ts imports @temporalio/activity.' },
    ),
  },
  {
    files: ['scripts/**/*.ts'],
    ignores: tests,
    rules: imports(closedRooms('scripts', ['scripts'])),
  },
);
