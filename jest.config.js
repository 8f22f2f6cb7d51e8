const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022', experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/node_modules/.cache'],
};

/** `npm test` runs project "unit"; `npm run test:parts` runs "parts" (files named *.parts.test.ts) and "envoy-before". */
export default {
  // Real processes on a busy machine: what hangs is found all the same. Not an option of a project.
  testTimeout: 30_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.parts\\.test\\.ts$'],
    },
    { ...common, displayName: 'parts', testMatch: ['<rootDir>/**/*.parts.test.ts'] },
    // The same tests of what proxies do with what we render, with the release before.
    {
      ...common,
      displayName: 'envoy-before',
      testMatch: ['<rootDir>/test/mesh/*.test.ts', '<rootDir>/test/capability/readBack.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.parts\\.test\\.ts$'],
      setupFiles: ['<rootDir>/test/mesh/envoyBefore.ts'],
    },
  ],
};
