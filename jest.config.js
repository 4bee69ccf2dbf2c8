/** One jest project for what needs nothing but Node, one for what needs Redis, one for the browser. */
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

export default {
  projects: [
    { ...common, displayName: 'unit', roots: ['<rootDir>/test'] },
    {
      ...common,
      displayName: 'integration',
      roots: ['<rootDir>/integration'],
      testPathIgnorePatterns: ['/integration/browser/'],
      globalSetup: '<rootDir>/integration/support/global-setup.ts',
      globalTeardown: '<rootDir>/integration/support/global-teardown.ts',
    },
    { ...common, displayName: 'browser', roots: ['<rootDir>/integration/browser'] },
  ],
};
