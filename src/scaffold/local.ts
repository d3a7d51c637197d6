/** `cje init --local`: an experiment whose models are GGUF files on this machine. */

import { relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import { ENGINE, installLine } from '../core/local-engine.ts';
import { ProblemError } from '../core/problem.ts';
import { findBindings } from '../llama/bindings.ts';
import { modelFileReader } from '../llama/model-file.ts';

interface LocalModels {
  /** By alias: the paths of files, as they were typed. */
  readonly models: Readonly<Record<string, string>>;
  /** Where the experiment will be. */
  readonly folder: string;
}

/** @throws ProblemError for a file that is no model's. */
export function localProviders({ models, folder }: LocalModels): string {
  const read = modelFileReader(folder, Date.now);
  const entries = Object.entries(models).map(([alias, written]) => {
    const path = resolve(written);
    const found = read(path);
    if (!found.ok) throw new ProblemError({ id: 'CJE-FILE-UNREADABLE', headline: `${written} ${found.reason}` });
    const bare = found.file.template === null;
    const comment = bare ? ' # it has no chat template: name one, such as `template: chatml`' : '';
    return `  ${alias}: { provider: local, model: ${stringify(relative(folder, path)).trimEnd()} }${comment}`;
  });
  return `# Models on this machine: docs/local.md of cje says what else can be set.
providers:
  local:
    type: llama
    # The release of node-llama-cpp, which is part of every key: another one rounds otherwise.
    engine: ${ENGINE.version}
    # Tokens that prompt and answer may have together.
    context: 8192
    # Texts that are evaluated at once.
    concurrency: 1

# Names that policies and judges use, and the files behind them. A file's bytes enter keys, its path does not.
models:
${entries.join('\n')}
`;
}

/** The line that installs the engine, where it is not there yet. */
export function missingEngine(folder: string, command: string): string | undefined {
  const found = findBindings(folder, command);
  const isThere = found.type === 'found' && found.version === ENGINE.version;
  return isThere ? undefined : installLine(ENGINE.version, process.platform, process.arch);
}
