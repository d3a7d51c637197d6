// The modules that the bundle starts from, by the names of their files in dist/.
export const entryPoints = {
  main: {
    main: 'src/cli/main.ts',
    'simulator-worker': 'src/simulator/worker.ts',
    'llama-worker': 'src/llama/worker.ts',
    'transform-worker': 'src/cli/transform-worker.ts',
  },
  // The first step is a file of its own, for it is all that a build with nothing to do loads.
  entry: { cje: 'src/cli/entry.ts' },
};
