import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Modules are pure, so files may share them; loading them anew for each took a tenth of the suite.
    isolate: false,
    // All cores: most of the time goes to commands that the tests start, and vitest would leave one core to itself.
    maxWorkers: availableParallelism(),
  },
});
