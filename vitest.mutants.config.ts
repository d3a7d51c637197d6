import { defineConfig } from 'vitest/config';

/** For mutants: the tests that take the sources themselves. Those of the bundled command would never see a mutant. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/bundle-info.ts'],
    exclude: [
      'test/{e2e,extra,chaos,rerun,store,viewer,docs}/**',
      'test/{architecture,casts,exports,glossary}.test.ts',
      // Simulations of many seconds, which nearly every mutant of stats/ would pay for anew.
      'test/stats/{bootstrap.slow,boundary-scores,coverage.slow,coverage-count,properties}.test.ts',
    ],
    testTimeout: 60_000,
    // Every mutant gets a worker of its own, so its test files may share their modules as in the suite.
    isolate: false,
  },
});
