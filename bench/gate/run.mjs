// node bench/gate/run.mjs [worlds=2000] [prompts=2000]: how often `cje gate` passes a candidate that is as bad as the margin, and what it
// costs beside a design of fixed size; ends with 1 where a promise of docs/ci.md is not kept
import { pathToFileURL } from 'node:url';
import { bundle } from '../lib/bundle.mjs';

const { main } = await import(pathToFileURL(await bundle('gate/main.ts')).href);
process.exitCode = main(process.argv.slice(2));
