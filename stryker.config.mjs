// Mutation testing: small edits of the code, one at a time, each of which some test ought to notice.
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutants.config.ts' },
  coverageAnalysis: 'perTest',
  mutate: ['src/{stats,kinds,replies}/**/*.ts', 'src/engine/plan/plan-cost.ts'],
  // The sandbox that is mutated is a copy; what builds leave behind is no part of it.
  ignorePatterns: ['/dist*', '/.cache', '/out', '/reports'],
  // None: what would rewrite it calls for a compiler of an older kind.
  tsconfigFile: 'none',
  tempDirName: '.mutants',
  reporters: ['clear-text', 'progress', 'html', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: 'reports/mutants.html' },
  jsonReporter: { fileName: 'reports/mutants.json' },
  concurrency: 2,
  timeoutMS: 20_000,
  allowEmpty: false,
};
