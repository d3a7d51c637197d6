/** `cje init`: a new experiment in a folder of its own. */

import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { commandName } from '../../scaffold/command-name.ts';
import { printable } from '../../text/escape.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class InitCommand extends PipelineCommand {
  static override paths = [['init']];
  static override usage = Command.Usage({
    category: 'Building',
    description: 'a new experiment: pipeline.yaml and configs/',
    details: `
      With --prompts, the file is copied beside the pipeline and becomes its source: rows with a "prompt", a "question", "messages" or what such columns are called elsewhere.

      With --from import, the pipeline evaluates data that is there already: a folder of cje-eval's (logged_data.jsonl,
      fresh_draws/POLICY_responses.jsonl), or one CSV, JSON Lines or Parquet file with a column of policies. The data stays where it is.
    `,
    examples: [
      ['The shipped experiment, to edit', 'cje init my-experiment'],
      ["One's own prompts", 'cje init my-experiment --prompts my.jsonl'],
      [
        "One's own prompts, policies and model",
        'cje init my-exp --prompts my.jsonl --policies brief,thorough --model gpt-4o-mini',
      ],
      ['Answers that are there already', 'cje init my-exp --responses answers.csv --model gpt-4o-mini'],
      ['The shipped experiment, on a model of this machine', 'cje init my-exp --local model.gguf'],
      ['Data that is there already', 'cje init my-experiment --from import my-data/'],
    ],
  });

  folder = Option.String({ name: 'dir', required: false });
  source = Option.String({ name: 'data', required: false });
  prompts = Option.String('--prompts', {
    description: 'a file of prompts to evaluate on: JSON Lines, JSON, CSV, tabs or Parquet',
  });
  from = Option.String('--from', {
    description: '`import`: evaluate the data in a folder or file, which is named last',
  });

  policies = Option.String('--policies', {
    description: 'names of policies, separated by commas: an experiment of your own on any chat model',
  });
  model = Option.String('--model', { description: 'the model that answers' });
  judgeModel = Option.String('--judge-model', {
    description: 'the model that judges; the one that answers unless told',
  });
  oracle = Option.String('--oracle', { description: 'a model that labels, beside people' });
  baseUrl = Option.String('--base-url', { description: 'a server that speaks the OpenAI API; OpenAI unless told' });
  key = Option.String('--key', {
    description: 'the environment variable that holds the key; OPENAI_API_KEY unless told',
  });
  local = Option.String('--local', { description: 'a GGUF file: the model that answers and judges, on this machine' });
  responses = Option.String('--responses', { description: 'a file of responses that are there already' });
  labels = Option.String('--labels', { description: 'a file of labels from people' });
  logProbabilities = Option.Boolean('--log-probabilities', false, {
    description: 'measure log probabilities too; the first policy is the logger',
  });

  async run(): Promise<ExitCode> {
    const { wantedExperiment } = await import('../../scaffold/wanted.ts');
    const wanted = wantedExperiment(this);
    switch (wanted.type) {
      case 'own':
        return this.#own(wanted.folder);
      case 'import':
        return this.#import(wanted);
      case 'shipped':
        return this.#fromShipped(wanted.folder);
    }
  }

  async #fromShipped(name: string): Promise<ExitCode> {
    const { writeShipped } = await import('../../scaffold/shipped-experiment.ts');
    const { prompts, local } = this;
    const { folder, notes } = await writeShipped({ folder: name, shipped: this.#shipped(), prompts, local });
    return this.#tell({ folder, commands: ['plan', 'build'], notes: [...(await this.#install(folder)), ...notes] });
  }

  async #own(name: string): Promise<ExitCode> {
    const { writeOwn } = await import('../../scaffold/own-options.ts');
    const { bundle } = this.context;
    const prices = join(this.#shipped(), 'configs/prices.yaml');
    const { folder, own, notes } = await writeOwn(this, { folder: name, bundle, prices });
    const policies = own.policies.map((policy) => `configs/policies/${policy}.yaml`);
    const edit = own.answered ? ['configs/judge.yaml'] : [...policies, 'configs/judge.yaml'];
    // Labels that are there already are no sheet of ours, so it could not be written over them.
    const sheet = this.labels === undefined ? { sheet: `export --format labels -o ${own.labels}` } : {};
    const all = [...notes, ...(await this.#install(folder))];
    return this.#tell({ folder, commands: ['plan', 'build'], ...sheet, edit, notes: all });
  }

  async #import(wanted: { readonly folder: string; readonly data: string }): Promise<ExitCode> {
    const { writeImported } = await import('../../scaffold/imported-experiment.ts');
    const { folder, found } = await writeImported({ ...wanted, shipped: this.#shipped() });
    const passedOver = found.passedOver.join(', ');
    const notes = [
      ...(passedOver === '' ? [] : [`Passed over, for they hold no judge scores: ${passedOver}`]),
      ...found.offScale.map(
        ({ setting, from: low, to }) =>
          `Before that: values go from ${low} to ${to}; declare \`${setting}\` in pipeline.yaml.`,
      ),
    ];
    return this.#tell({ folder, commands: ['build'], notes });
  }

  /** What a local experiment lacks, if it does. */
  async #install(folder: string): Promise<readonly string[]> {
    if (this.local === undefined) return [];
    const { missingEngine } = await import('../../scaffold/local.ts');
    const line = missingEngine(folder, fileURLToPath(this.context.bundle));
    return line === undefined ? [] : [`Before that, to run models on this machine: ${goTo(folder)}${line}`];
  }

  #tell({ folder, commands, sheet, edit = [], notes }: Made): ExitCode {
    const { PATH: path, npm_command: npmCommand } = process.env;
    const name = commandName(this.context.bundle, { path, npmCommand });
    const typed = (command: string) => `${goTo(folder)}${name} ${command}`;
    const next = [...commands, ...(sheet === undefined ? [] : [sheet])].map(typed);
    if (this.json) {
      this.printJson({ type: 'created', version: 1, folder, edit, next, notes });
      return EXIT.built;
    }
    const first = edit.length === 0 ? '' : `Edit: ${printable(edit.join(', '))}\n\n`;
    const filledIn = sheet === undefined ? '' : '   (then fill in the column `label`, 1 to 5, and build again)';
    this.print(`Made ${join(folder, 'pipeline.yaml')} and configs/.\n\n${first}Next:\n`);
    this.print(`${next.map((line) => `  ${line}`).join('\n')}${filledIn}\n`);
    for (const note of notes) this.print(`\n${printable(note)}\n`);
    return EXIT.built;
  }

  #shipped(): string {
    return fileURLToPath(new URL('..', this.context.bundle));
  }
}

/** What was made, and what to do with it. */
interface Made {
  readonly folder: string;
  readonly commands: readonly string[];
  /** The command that writes the sheet that people fill in. */
  readonly sheet?: string;
  /** Files to be looked at first. */
  readonly edit?: readonly string[];
  readonly notes: readonly string[];
}

function goTo(folder: string): string {
  const where = relative(process.cwd(), folder);
  return where === '' ? '' : `cd ${/[^\w./@+-]/.test(where) ? JSON.stringify(where) : where} && `;
}
