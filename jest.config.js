/** One jest project for what needs nothing but Node, one for what needs Redis, one for the browser, one for long runs. */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
};

/** Chooses and starts the Redis that the tests share, and ends what they left. */
const redis = {
  globalSetup: '<rootDir>/integration/support/global-setup.ts',
  globalTeardown: '<rootDir>/integration/support/global-teardown.ts',
};

export default {
  // jest has one limit for all projects; it is no wait of any test, only when a hanging one is given up.
  testTimeout: 30_000,
  projects: [
    { ...common, displayName: 'unit', roots: ['<rootDir>/test'] },
    {
      ...common,
      ...redis,
      displayName: 'integration',
      roots: ['<rootDir>/integration'],
      testPathIgnorePatterns: ['/integration/browser/'],
    },
    { ...common, displayName: 'browser', roots: ['<rootDir>/integration/browser'] },
    {
      ...common,
      ...redis,
      displayName: 'soak',
      roots: ['<rootDir>/test', '<rootDir>/integration'],
      testMatch: ['**/*.soak.ts'],
    },
  ],
};
