// Jest runs the sources as ES modules, the way Node does; swc only strips the types.
export default {
  testEnvironment: '<rootDir>/libs/testing/src/leak-alarm-environment.ts',
  globalSetup: '<rootDir>/libs/testing/src/jest-global-setup.ts',
  globalTeardown: '<rootDir>/libs/testing/src/jest-global-teardown.ts',
  roots: ['libs', 'services', 'dev', 'tests', 'scripts'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  testTimeout: 30_000,
  // The leak alarm judges each file; what a library keeps for itself must not hold the run's end.
  forceExit: true,
  maxWorkers: 2,
};
