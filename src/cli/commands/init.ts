/** `cje init`: a new experiment in a folder of its own. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'clipanion';
import { parseDocument } from 'yaml';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { commandName } from '../../scaffold/command-name.ts';
import { readPrompts } from '../../scaffold/read-prompts.ts';
import { printable } from '../../text/escape.ts';
import { PipelineCommand } from '../pipeline-command.ts';

/** What the shipped experiment samples unless told. */
const SAMPLES = 200;
const TEST_SAMPLES = 100;
const LOCAL = 'configs/providers/local.yaml';

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
    this.#checkLocal();
    if (this.policies !== undefined || this.responses !== undefined) return this.#own();
    const [stray] = Object.entries({
      '--model': this.model,
      '--judge-model': this.judgeModel,
      '--oracle': this.oracle,
      '--base-url': this.baseUrl,
      '--key': this.key,
      '--labels': this.labels,
      '--log-probabilities': this.logProbabilities || undefined,
    }).find(([, value]) => value !== undefined) ?? [undefined];
    if (stray !== undefined) {
      throw new ProblemError({
        id: 'CJE-USAGE',
        headline: `${stray} is of an experiment of your own, and no policies are named`,
        hint: 'such as `--policies brief,thorough --model gpt-4o-mini`',
      });
    }
    if (this.from !== undefined) return this.#import(this.from);
    if (this.source !== undefined) {
      throw new ProblemError({
        id: 'CJE-USAGE',
        headline: 'init takes one folder',
        hint: 'data to import goes with `--from import`',
      });
    }
    const folder = this.#emptyFolder(this.folder ?? '.');
    const source = this.prompts === undefined ? undefined : await readPrompts(resolve(this.prompts), 'English');
    const shipped = this.#shipped();
    const pipeline = parseDocument(readFileSync(join(shipped, 'pipeline.yaml'), 'utf8'));
    if (folder !== resolve('.')) pipeline.set('name', basename(folder));
    const local = this.local === undefined ? undefined : await this.#localFile(this.local, folder);
    mkdirSync(folder, { recursive: true });
    if (source !== undefined) {
      pipeline.setIn(['vars', 'prompts_source'], source.name);
      pipeline.setIn(['vars', 'samples'], Math.min(SAMPLES, source.rows));
      // The hosted profiles would go back to the shipped prompts.
      for (const profile of ['test', 'full']) {
        for (const name of ['prompts_source', 'prompts_sha256']) pipeline.deleteIn(['profiles', profile, 'vars', name]);
        pipeline.deleteIn(['profiles', profile, 'reference']);
        const wanted = profile === 'test' ? TEST_SAMPLES : source.rows;
        pipeline.setIn(['profiles', profile, 'vars', 'samples'], Math.min(wanted, source.rows));
      }
      // Ids and samples that stay where they are when the file grows.
      pipeline.setIn(['stages', 'prompts', 'params', 'ids'], 'content');
      pipeline.setIn(['stages', 'prompts', 'params', 'order'], 'hash');
      writeFileSync(join(folder, source.name), source.bytes, { flag: 'wx' });
    }
    cpSync(join(shipped, 'configs'), join(folder, 'configs'), { recursive: true });
    if (local !== undefined) {
      writeFileSync(join(folder, LOCAL), local);
      // The profile that is taken unless another is named.
      pipeline.set('default_profile', 'local');
      pipeline.setIn(['profiles', 'local'], pipeline.createNode({ providers: LOCAL, vars: { temperature: 1 } }));
    }
    this.#finish(folder, pipeline.toString({ lineWidth: 0, flowCollectionPadding: false }), ['plan', 'build']);
    await this.#sayInstall(folder);
    for (const note of source?.notes ?? []) this.print(`\n${printable(note)}\n`);
    return EXIT.built;
  }

  /** @throws ProblemError for options of another server. */
  #checkLocal(): void {
    if (this.local === undefined) return;
    const [other] = Object.entries({
      '--from': this.from,
      '--responses': this.responses,
      '--model': this.model,
      '--base-url': this.baseUrl,
      '--key': this.key,
    }).find(([, value]) => value !== undefined) ?? [undefined];
    if (other === undefined) return;
    const headline = `--local names the model that answers, so there is no ${other}`;
    throw new ProblemError({ id: 'CJE-USAGE', headline, hint: 'such as `cje init my-exp --local model.gguf`' });
  }

  /** One file stands behind every alias of the shipped experiment. */
  async #localFile(model: string, folder: string): Promise<string> {
    const { localProviders } = await import('../../scaffold/local.ts');
    return localProviders({ models: { scout: model, maverick: model, judge: model, oracle: model }, folder });
  }

  /** What a local experiment lacks, if it does. */
  async #sayInstall(folder: string): Promise<void> {
    if (this.local === undefined) return;
    const { missingEngine } = await import('../../scaffold/local.ts');
    const line = missingEngine(folder, fileURLToPath(this.context.bundle));
    if (line !== undefined)
      this.print(`\nBefore that, to run models on this machine:\n  ${this.#goTo(folder)}${line}\n`);
  }

  /** Policies of any chat model, or answers that are there already. */
  async #own(): Promise<ExitCode> {
    if (this.from !== undefined || this.source !== undefined) {
      throw new ProblemError({
        id: 'CJE-USAGE',
        headline: 'an experiment of your own takes one folder, and no --from',
        hint: 'such as `cje init my-exp --prompts my.jsonl --policies brief,thorough --model gpt-4o-mini`',
      });
    }
    const folder = this.#emptyFolder(this.folder ?? '.');
    const { ownExperiment, ownFiles } = await import('../../scaffold/index.ts');
    const { own, copies, notes } = await ownExperiment({
      folder,
      bundle: this.context.bundle,
      prices: join(this.#shipped(), 'configs/prices.yaml'),
      prompts: this.prompts,
      policies: this.policies,
      model: this.model,
      judgeModel: this.judgeModel,
      oracle: this.oracle,
      baseUrl: this.baseUrl,
      key: this.key,
      responses: this.responses,
      labels: this.labels,
      logProbabilities: this.logProbabilities,
      local: this.local,
    });
    for (const [path, text] of [...ownFiles(own), ...copies]) {
      const target = join(folder, path);
      if (existsSync(target) && path.startsWith('.git')) continue;
      mkdirSync(dirname(target), { recursive: true });
      if (!existsSync(target)) writeFileSync(target, text, { flag: 'wx' });
    }
    const policies = own.policies.map((name) => `configs/policies/${name}.yaml`);
    const edit = own.answered ? ['configs/judge.yaml'] : [...policies, 'configs/judge.yaml'];
    const go = this.#goTo(folder);
    const command = this.#command();
    this.print(
      `Made ${join(folder, 'pipeline.yaml')} and configs/.\n\nEdit: ${printable(edit.join(', '))}\n\nNext:\n` +
        [
          `  ${go}${command} plan`,
          `  ${go}${command} build`,
          // Labels that are there already are no sheet of ours, so it could not be written over them.
          ...(this.labels === undefined
            ? [
                `  ${go}${command} export --format labels -o ${own.labels}   (then fill in the column \`label\`, 1 to 5, and build again)`,
              ]
            : []),
        ].join('\n') +
        '\n',
    );
    for (const note of notes) this.print(`\n${printable(note)}\n`);
    await this.#sayInstall(folder);
    return EXIT.built;
  }

  #command(): string {
    const { PATH: path, npm_command: npmCommand } = process.env;
    return commandName(this.context.bundle, { path, npmCommand });
  }

  #goTo(folder: string): string {
    const where = relative(process.cwd(), folder);
    return where === '' ? '' : `cd ${/[^\w./@+-]/.test(where) ? JSON.stringify(where) : where} && `;
  }

  /** `init DIR --from import DATA`, or in the current folder `init --from import DATA`. */
  async #import(from: string): Promise<ExitCode> {
    if (from !== 'import') {
      const headline = `--from takes \`import\`, not ${JSON.stringify(from)}`;
      throw new ProblemError({
        id: 'CJE-BAD-OPTION',
        headline,
        hint: 'such as `cje init my-experiment --from import my-data/`',
      });
    }
    const data = this.source ?? this.folder;
    if (data === undefined) {
      throw new ProblemError({
        id: 'CJE-USAGE',
        headline: '--from import needs the folder or file of the data',
        hint: 'such as `cje init my-experiment --from import my-data/`',
      });
    }
    if (this.prompts !== undefined) {
      throw new ProblemError({
        id: 'CJE-USAGE',
        headline: '--prompts starts another experiment than --from import',
        hint: 'give one',
      });
    }
    const folder = this.#emptyFolder(this.source === undefined ? '.' : (this.folder ?? '.'));
    const { ablationsFor, findData, importPipeline } = await import('../../scaffold/index.ts');
    const found = await findData(resolve(data));
    const configs = join(this.#shipped(), 'configs');
    const path = relative(folder, found.folder) || '.';
    const shipped = new Set(readdirSync(join(configs, 'ablations')).map((file) => basename(file, '.yaml')));
    const pipeline = importPipeline(basename(folder), found, path, ablationsFor(found.holds, shipped));
    mkdirSync(join(folder, 'configs'), { recursive: true });
    cpSync(join(configs, 'gates.yaml'), join(folder, 'configs/gates.yaml'));
    cpSync(join(configs, 'ablations'), join(folder, 'configs/ablations'), { recursive: true });
    this.#finish(folder, pipeline, ['build']);
    if (found.passedOver.length > 0) {
      this.print(`\nPassed over, for they hold no judge scores: ${printable(found.passedOver.join(', '))}\n`);
    }
    for (const { setting, from: low, to } of found.offScale) {
      this.print(`\nBefore that: values go from ${low} to ${to}; declare \`${setting}\` in pipeline.yaml.\n`);
    }
    return EXIT.built;
  }

  #shipped(): string {
    return fileURLToPath(new URL('..', this.context.bundle));
  }

  /** @throws ProblemError where an experiment is already. */
  #emptyFolder(name: string): string {
    const folder = resolve(name);
    for (const path of [join(folder, 'pipeline.yaml'), join(folder, 'configs')]) {
      if (!existsSync(path)) continue;
      throw new ProblemError({
        id: 'CJE-FOLDER-TAKEN',
        headline: `${path} is there already`,
        hint: 'name another folder; nothing was written',
      });
    }
    return folder;
  }

  #finish(folder: string, pipeline: string, commands: readonly string[]): void {
    const target = join(folder, 'pipeline.yaml');
    writeFileSync(target, pipeline);
    const ignore = join(folder, '.gitignore');
    if (!existsSync(ignore)) writeFileSync(ignore, '.cache/\n.engine/\nout/\n');
    const go = this.#goTo(folder);
    const name = this.#command();
    const next = commands.map((command) => `  ${go}${name} ${command}\n`).join('');
    this.print(`Made ${target} and configs/.\n\nNext:\n${next}`);
  }
}
