import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A folder says what its tests need; every other test needs the source alone, and is slow where its name says so. */
const NEED_A_BUNDLE = {
  /** Commands of the bundle. */
  e2e: 'test/e2e/**/*.test.ts',
  /** What needs a browser, a service or chaos besides, in short forms; and commands that would take npm test over four minutes. */
  extra: 'test/extra/**/*.test.ts',
  /** The long forms: hundreds of kills. */
  chaos: 'test/chaos/**/*.test.ts',
};

/** Studies over many worlds, the library's results number by number, whole builds against servers: seconds of work a file. */
const SLOW = 'test/**/*.slow.test.ts';

const fromSource = (name: string, include: string, ...exclude: string[]) => ({
  extends: true as const,
  test: {
    name,
    include: [include],
    setupFiles: ['test/helpers/bundle-info.ts'],
    exclude: [...exclude, ...Object.values(NEED_A_BUNDLE)],
    // Its modules import folders, which a bundler resolves and Node does not.
    server: { deps: { inline: ['clipanion'] } },
  },
});

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Modules are pure, so files may share them; loading them anew for each took a tenth of the suite.
    isolate: false,
    // One more than cores: a worker mostly waits for a command that its test started, and that for the disk.
    maxWorkers: availableParallelism() + 1,
    projects: [
      fromSource('unit', 'test/**/*.test.ts', SLOW),
      fromSource('slow', SLOW),
      ...Object.entries(NEED_A_BUNDLE).map(([name, include]) => ({
        extends: true as const,
        // A bundle that is older than the source is built, once for all of them.
        test: { name, include: [include], globalSetup: ['scripts/fresh-bundle.mjs'] },
      })),
    ],
  },
});
