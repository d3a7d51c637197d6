/** The shipped experiment in a folder of its own, to be edited: on one's own prompts, or on a model of this machine. */

import { cpSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import { localProviders } from './local.ts';
import { IGNORED, newFolder, writeNew } from './new-folder.ts';
import { readPrompts } from './read-prompts.ts';
import type { InitOptions } from './wanted.ts';

/** What the shipped experiment samples unless told. */
const SAMPLES = 200;
const TEST_SAMPLES = 100;
const LOCAL = 'configs/providers/local.yaml';

interface Shipped extends Pick<InitOptions, 'prompts' | 'local'> {
  readonly folder: string;
  /** Where the shipped experiment lies. */
  readonly shipped: string;
}

/** @returns what a person should know. @throws ProblemError where an experiment is, and for files that cannot be read */
export async function writeShipped(options: Shipped) {
  const folder = newFolder(options.folder);
  const source = options.prompts === undefined ? undefined : await readPrompts(resolve(options.prompts), 'English');
  const pipeline = parseDocument(readFileSync(join(options.shipped, 'pipeline.yaml'), 'utf8'));
  if (folder !== resolve('.')) pipeline.set('name', basename(folder));
  const local = options.local === undefined ? undefined : localText(options.local, folder);
  if (source !== undefined) {
    askOwnPrompts(pipeline, source);
    writeNew(folder, [[source.name, source.bytes]]);
  }
  cpSync(join(options.shipped, 'configs'), join(folder, 'configs'), { recursive: true });
  if (local !== undefined) {
    writeNew(folder, [[LOCAL, local]]);
    // The profile that is taken unless another is named.
    pipeline.set('default_profile', 'local');
    pipeline.setIn(['profiles', 'local'], pipeline.createNode({ providers: LOCAL, vars: { temperature: 1 } }));
  }
  const text = pipeline.toString({ lineWidth: 0, flowCollectionPadding: false });
  writeNew(folder, [
    ['pipeline.yaml', text],
    ['.gitignore', IGNORED],
  ]);
  return { folder, notes: source?.notes ?? [] };
}

function askOwnPrompts(pipeline: Document, { name, rows }: { readonly name: string; readonly rows: number }): void {
  pipeline.setIn(['vars', 'prompts_source'], name);
  pipeline.setIn(['vars', 'samples'], Math.min(SAMPLES, rows));
  // The hosted profiles would go back to the shipped prompts.
  for (const profile of ['test', 'full']) {
    for (const each of ['prompts_source', 'prompts_sha256']) pipeline.deleteIn(['profiles', profile, 'vars', each]);
    pipeline.deleteIn(['profiles', profile, 'reference']);
    const wanted = profile === 'test' ? TEST_SAMPLES : rows;
    pipeline.setIn(['profiles', profile, 'vars', 'samples'], Math.min(wanted, rows));
  }
  // Ids and samples that stay where they are when the file grows.
  pipeline.setIn(['stages', 'prompts', 'params', 'ids'], 'content');
  pipeline.setIn(['stages', 'prompts', 'params', 'order'], 'hash');
}

/** One file stands behind every alias of the shipped experiment. */
const localText = (model: string, folder: string): string =>
  localProviders({ models: { scout: model, maverick: model, judge: model, oracle: model }, folder });
