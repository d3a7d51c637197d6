// Mutation testing of the files or folders named, or of all that the configuration lists.
import { statSync } from 'node:fs';
import { Stryker } from '@stryker-mutator/core';

const named = process.argv.slice(2);
const mutate = named.map((path) =>
  statSync(path.replace(/:.*$/, '')).isDirectory() ? `${path.replace(/\/$/, '')}/**/*.ts` : path,
);
await new Stryker(named.length > 0 ? { mutate } : {}).runMutationTest();
