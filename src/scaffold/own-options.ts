/** From the options of `cje init` to an experiment of one's own: what is named, what is found in the files, what is usual. */

import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parse } from 'yaml';
import { nearest, ProblemError, usageError } from '../core/problem.ts';
import { readRecords } from '../datasets/files/table.ts';
import { readResponses } from '../datasets/tables/responses.ts';
import { schemasPath } from './editor-schemas.ts';
import { localProviders } from './local.ts';
import { newFolder, writeNew } from './new-folder.ts';
import { labelShare, type OwnExperiment, ownFiles } from './own-experiment.ts';
import { readPrompts } from './read-prompts.ts';
import type { InitOptions } from './wanted.ts';

interface OwnPlace {
  /** Where the experiment will be. */
  readonly folder: string;
  readonly bundle: URL;
  /** The shipped price table. */
  readonly prices: string;
}

interface Prepared {
  readonly own: OwnExperiment;
  /** Files that come along, by the name that they get. */
  readonly copies: ReadonlyMap<string, Uint8Array>;
  /** What a person should know before the first build. */
  readonly notes: readonly string[];
}

const OPENAI = 'https://api.openai.com/v1';
const THIS_MACHINE = 'http://127.0.0.1';
const LABELS = 'labels.csv';
/** Fewest rows that the gates take; see configs/gates.yaml. */
const FEWEST_PROMPTS = 30;

/** @throws ProblemError where an experiment is, for options that do not go together, and files that cannot be read. */
export async function writeOwn(options: InitOptions, place: OwnPlace) {
  const folder = newFolder(place.folder);
  const { own, copies, notes } = await ownExperiment(options, { ...place, folder });
  writeNew(folder, [...ownFiles(own), ...copies]);
  return { folder, own, notes };
}

async function ownExperiment(options: InitOptions, { folder, bundle, prices: table }: OwnPlace): Promise<Prepared> {
  const { judgeModel, oracle, responses, logProbabilities, local: file } = options;
  const model = file ?? options.model;
  const answered = responses !== undefined;
  if (answered && logProbabilities) {
    throw usageError('log probabilities are of what a policy answers itself', 'leave --log-probabilities out');
  }
  if (!answered && options.prompts === undefined) {
    throw usageError('policies need prompts to answer', 'such as `--prompts my.jsonl`');
  }
  const judge = judgeModel ?? model;
  if (judge === undefined || (model === undefined && !answered)) {
    throw usageError(
      answered ? 'no model judges the responses' : 'no model answers',
      answered ? 'such as `--judge-model gpt-4o-mini`' : 'such as `--model gpt-4o-mini`',
    );
  }
  const copies = new Map<string, Uint8Array>();
  const notes: string[] = [];
  const found = answered ? await findResponses(options, copies, notes) : await findPrompts(options, copies, notes);
  const labels = options.labels === undefined ? LABELS : copied(options.labels, copies);
  const baseUrl = options.baseUrl ?? (file === undefined ? OPENAI : THIS_MACHINE);
  if (!/^https?:$/.test(URL.canParse(baseUrl) ? new URL(baseUrl).protocol : '')) {
    throw usageError(`--base-url is ${JSON.stringify(baseUrl)}, not an address`, 'such as http://127.0.0.1:8000/v1');
  }
  if (options.key !== undefined && !/^[A-Z_][A-Z0-9_]*$/.test(options.key)) {
    throw usageError('--key takes the NAME of an environment variable, never the key itself', 'such as OPENAI_API_KEY');
  }
  const local = isLocal(new URL(baseUrl).hostname);
  const used = [...new Set([...(answered ? [] : [model!]), judge, ...(oracle === undefined ? [] : [oracle])])];
  const { prices, date, unknown } = pricesOf(used, table, local);
  const { prompts } = found;
  if (unknown.length > 0) {
    notes.push(
      `No price of ${unknown.join(', ')} is known: write it under \`prices:\` in configs/providers.yaml first`,
    );
  }
  if (local && file === undefined)
    notes.push('The server is one of your own, so its models cost $0: see `prices:` in configs/providers.yaml');
  if (prompts < FEWEST_PROMPTS) {
    notes.push(`${prompts} prompts are few: below ${FEWEST_PROMPTS} no estimate has an interval, and all are refused`);
  }
  const sheet = Math.ceil(prompts * labelShare(prompts));
  notes.push(
    `The sheet to label will have ${sheet} answers of each policy, of ${prompts} prompts (\`share:\` in pipeline.yaml)`,
  );
  const schemas = schemasPath(folder, bundle);
  return {
    own: {
      name: basename(folder),
      source: found.source,
      promptsFile: found.promptsFile,
      prompts,
      policies: found.policies,
      answered,
      model: model ?? judge,
      judge,
      oracle,
      baseUrl,
      key: options.key ?? (local ? undefined : 'OPENAI_API_KEY'),
      logProbabilities,
      schemas,
      prices,
      pricesDate: date,
      labels,
      ...(file === undefined ? {} : { local: localText({ model: file, judge }, oracle, folder) }),
    },
    copies,
    notes,
  };
}

/** @param models the model that answers and the one that judges, as they were typed */
function localText(
  models: Readonly<Record<'model' | 'judge', string>>,
  oracle: string | undefined,
  folder: string,
): string {
  return localProviders({ models: { ...models, ...(oracle === undefined ? {} : { oracle }) }, folder });
}

interface Found {
  readonly source: string;
  readonly promptsFile?: string;
  readonly prompts: number;
  readonly policies: readonly string[];
}

async function findPrompts(
  { prompts, policies }: InitOptions,
  copies: Map<string, Uint8Array>,
  notes: string[],
): Promise<Found> {
  const read = await readPrompts(resolve(prompts!), null);
  copies.set(read.name, read.bytes);
  notes.push(...read.notes);
  return { source: read.name, prompts: read.rows, policies: namesIn(policies ?? '') };
}

async function findResponses(
  { responses, policies, prompts: promptsFile }: InitOptions,
  copies: Map<string, Uint8Array>,
  notes: string[],
): Promise<Found> {
  const source = copied(responses!, copies);
  const file = { bytes: copies.get(source)!, label: responses! };
  const names = policies === undefined ? await policiesIn(file) : namesIn(policies);
  if (promptsFile !== undefined) {
    const read = await readPrompts(resolve(promptsFile), null);
    copies.set(read.name, read.bytes);
    notes.push(...read.notes);
    return { source, promptsFile: read.name, prompts: read.rows, policies: names };
  }
  const settings = { columns: {}, keep: [], missing: ['NA'], where: {}, onBadRow: 'refuse' } as const;
  const ids = new Set<string>();
  for (const policy of names) {
    const { rows } = await readResponses(file, { policy, ...settings });
    for (const { prompt_id } of rows) ids.add(prompt_id);
  }
  return { source, prompts: ids.size, policies: names };
}

/** The policies that the rows of a table name. */
async function policiesIn(file: { readonly bytes: Uint8Array; readonly label: string }): Promise<readonly string[]> {
  const { records } = await readRecords(file, { missing: new Set(['NA']), wanted: () => true });
  const columns = [...new Set(records.flatMap(({ fields }) => Object.keys(fields)))];
  const column = ['policy', 'model', 'system', 'target_policy'].find((name) => columns.includes(name));
  if (column === undefined) {
    throw usageError(
      `${file.label} has no column that names policies, so they must be named`,
      `such as \`--policies ${columns.slice(-2).join(',')}\`; the columns are ${columns.slice(0, 20).join(', ')}`,
    );
  }
  const names = records.flatMap(({ fields }) => (typeof fields[column] === 'string' ? [fields[column].trim()] : []));
  return checkedNames([...new Set(names)]);
}

const namesIn = (list: string): readonly string[] =>
  checkedNames(
    list
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );

/** @throws ProblemError for names that cannot be those of files and nodes. */
function checkedNames(names: readonly string[]): readonly string[] {
  if (names.length === 0) throw usageError('no policy is named', 'such as `--policies brief,thorough`');
  const odd = names.find((name) => !/^\w[\w.-]*$/.test(name));
  if (odd !== undefined) {
    throw usageError(`${JSON.stringify(odd)} cannot be the name of a policy`, 'use letters, digits, - and _');
  }
  const twice = names.find((name, index) => names.findIndex((other) => alike(name, other)) !== index);
  if (twice !== undefined) throw usageError(`the policy ${JSON.stringify(twice)} is named twice`, 'name each once');
  return names;
}

const alike = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Reads a file that comes along, and says under which name. */
function copied(path: string, copies: Map<string, Uint8Array>): string {
  const name = basename(path);
  try {
    copies.set(name, readFileSync(resolve(path)));
  } catch {
    throw new ProblemError({ id: 'CJE-FILE-UNREADABLE', headline: `cannot read ${path}` });
  }
  return name;
}

/** An address of this machine or of its own network. */
function isLocal(host: string): boolean {
  return (
    /^(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|0\.0\.0\.0$|\[::1\]$)/.test(host) ||
    /\.(?:local|internal|localhost)$/.test(host)
  );
}

/** The prices of these models: of a server of one's own none, else what the shipped table knows. */
function pricesOf(models: readonly string[], table: string, local: boolean) {
  const shipped = parse(readFileSync(table, 'utf8')) as { date: string; models: Record<string, unknown> };
  const free = { input: 0, output: 0 };
  const known = models.filter((model) => local || Object.hasOwn(shipped.models, model));
  return {
    date: String(shipped.date),
    prices: Object.fromEntries(known.map((model) => [model, local ? free : shipped.models[model]])),
    unknown: models
      .filter((model) => !known.includes(model))
      .map((model) => {
        const near = nearest(model, Object.keys(shipped.models));
        return near === undefined ? model : `${model} (did you mean ${near}?)`;
      }),
  };
}
