/** @type {import('jest').Config} */
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^redlock-nestjs$': '<rootDir>/lib/index.ts',
    '^redlock-nestjs/(testing|terminus|otel|contract|lock-store|dashboard)$': '<rootDir>/lib/$1/index.ts',
  },
  setupFiles: ['reflect-metadata'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/dist-demo'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          target: 'es2023',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

const suite = (name) => ({ ...base, displayName: name, testMatch: [`<rootDir>/test/${name}/**/*.spec.ts`] });

/** @type {import('jest').Config} */
export default {
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.ts', '!lib/**/index.ts'],
  // Real servers and processes, on a machine that may be busy with something else: only what hangs is to fail by this.
  testTimeout: 180_000,
  // A worker keeps something of each file that it has run. Larger ones are slower, and take Jest's patience to end.
  workerIdleMemoryLimit: '500MB',
  projects: ['unit', 'architecture', 'contract', 'simulation', 'e2e', 'long', 'containers'].map(suite),
};
