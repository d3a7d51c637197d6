/** Which experiment the options of `cje init` ask for, and whether they go together. */

import { badOption, usageError } from '../core/problem.ts';

/** As they were typed. */
export interface InitOptions {
  readonly folder: string | undefined;
  /** A second argument: the data to import. */
  readonly source: string | undefined;
  readonly from: string | undefined;
  readonly prompts: string | undefined;
  readonly policies: string | undefined;
  readonly model: string | undefined;
  readonly judgeModel: string | undefined;
  readonly oracle: string | undefined;
  readonly baseUrl: string | undefined;
  readonly key: string | undefined;
  readonly responses: string | undefined;
  readonly labels: string | undefined;
  readonly logProbabilities: boolean;
  /** The file of a model on this machine, in place of a server and its model. */
  readonly local: string | undefined;
}

type Wanted =
  /** Policies of any chat model, or answers that are there already. */
  | { readonly type: 'own'; readonly folder: string }
  | { readonly type: 'import'; readonly folder: string; readonly data: string }
  | { readonly type: 'shipped'; readonly folder: string };

/** @throws ProblemError for options that do not go together */
export function wantedExperiment(options: InitOptions): Wanted {
  const { source, from } = options;
  const folder = options.folder ?? '.';
  const beside = options.local === undefined ? undefined : firstGiven(OF_ANOTHER_SERVER, options);
  if (beside !== undefined) {
    throw usageError(
      `--local names the model that answers, so there is no ${beside}`,
      'such as `cje init my-exp --local model.gguf`',
    );
  }
  if (options.policies !== undefined || options.responses !== undefined) {
    if (from === undefined && source === undefined) return { type: 'own', folder };
    throw usageError(
      'an experiment of your own takes one folder, and no --from',
      'such as `cje init my-exp --prompts my.jsonl --policies brief,thorough --model gpt-4o-mini`',
    );
  }
  const stray = firstGiven(OF_ONES_OWN, options);
  if (stray !== undefined) {
    throw usageError(
      `${stray} is of an experiment of your own, and no policies are named`,
      'such as `--policies brief,thorough --model gpt-4o-mini`',
    );
  }
  if (from !== undefined) return wantedImport(from, options);
  if (source !== undefined) throw usageError('init takes one folder', 'data to import goes with `--from import`');
  return { type: 'shipped', folder };
}

type Names = Readonly<Record<string, keyof InitOptions>>;

const OF_ANOTHER_SERVER: Names = {
  '--from': 'from',
  '--responses': 'responses',
  '--model': 'model',
  '--base-url': 'baseUrl',
  '--key': 'key',
};

const OF_ONES_OWN: Names = {
  '--model': 'model',
  '--judge-model': 'judgeModel',
  '--oracle': 'oracle',
  '--base-url': 'baseUrl',
  '--key': 'key',
  '--labels': 'labels',
  '--log-probabilities': 'logProbabilities',
};

function firstGiven(names: Names, options: InitOptions): string | undefined {
  return Object.keys(names).find((name) => ![undefined, false].includes(options[names[name]!] as undefined | false));
}

/** `init DIR --from import DATA`, or in the current folder `init --from import DATA`. */
function wantedImport(from: string, { source, folder, prompts }: InitOptions): Wanted {
  const hint = 'such as `cje init my-experiment --from import my-data/`';
  if (from !== 'import') {
    throw badOption(`--from takes \`import\`, not ${JSON.stringify(from)}`, hint);
  }
  const data = source ?? folder;
  if (data === undefined) throw usageError('--from import needs the folder or file of the data', hint);
  if (prompts !== undefined) throw usageError('--prompts starts another experiment than --from import', 'give one');
  return { type: 'import', folder: source === undefined ? '.' : (folder ?? '.'), data };
}
