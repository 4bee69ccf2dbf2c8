import { availableParallelism } from 'node:os';

/** One jest project for each thing that tests need: nothing but Node, Redis, a browser and Redis, a container engine, time. */
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
  // More than jest's one for two cores: the tests mostly wait, for what happens and for processes that start.
  maxWorkers: Math.max(3, Math.floor(availableParallelism() / 2)),
  // jest has one limit for all projects; it is no wait of any test, only when a hanging one is given up.
  testTimeout: 30_000,
  projects: [
    { ...common, displayName: 'unit', roots: ['<rootDir>/test'] },
    {
      ...common,
      ...redis,
      displayName: 'integration',
      roots: ['<rootDir>/integration'],
      testPathIgnorePatterns: ['/integration/(browser|image)/'],
    },
    { ...common, ...redis, displayName: 'browser', roots: ['<rootDir>/integration/browser'] },
    { ...common, displayName: 'image', roots: ['<rootDir>/integration/image'] },
    {
      ...common,
      ...redis,
      displayName: 'soak',
      roots: ['<rootDir>/test', '<rootDir>/integration'],
      testMatch: ['**/*.soak.ts'],
    },
  ],
};
