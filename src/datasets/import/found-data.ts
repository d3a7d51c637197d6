/** Looks at a folder or a file of evaluation data: whose log, whose draws, and what they hold. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { ProblemError } from '../../core/problem.ts';
import { MANIFEST } from '../export/cje-eval.ts';
import type { SourceRecord, Table } from '../files/records.ts';
import { DATA_FILE, readTable } from '../files/table.ts';
import { Columns, columnNames } from './columns.ts';

/** Evaluation data as it was found; paths are relative to `folder`. */
export interface FoundData {
  readonly folder: string;
  /** In words, for the pipeline's comment. */
  readonly format: string;
  readonly logger: string | null;
  readonly policies: readonly string[];
  readonly clone: string | null;
  readonly scorer: string | null;
  readonly tempered: readonly string[];
  readonly logged: string | null;
  readonly fresh: ReadonlyMap<string, string>;
  /** One file of all policies, in place of both. */
  readonly rows: string | null;
  readonly holds: {
    readonly logprobs: boolean;
    /** Draws of the target policies themselves. */
    readonly draws: boolean;
    readonly labels: boolean;
    /** Labels on those draws, beside others. */
    readonly ownLabels: boolean;
  };
  /** Files of data in the folder that were passed over. */
  readonly passedOver: readonly string[];
  /** Scores or labels that are not on the unit scale. */
  readonly offScale: readonly { readonly setting: string; readonly from: number; readonly to: number }[];
}

/** A data file's name without its endings; undefined for a file that is none. */
const stemOf = (name: string): string | undefined => (DATA_FILE.test(name) ? name.replace(DATA_FILE, '') : undefined);
const isLog = (name: string): boolean => /^(?:logged_data|logged|calibration_data)$/.test(stemOf(name) ?? '');
/** cje-eval's names for a policy's draws, of all versions. */
const drawsOf = (name: string): string | undefined => /^(.+?)(?:_responses|_fresh)$/.exec(stemOf(name) ?? '')?.[1];
const DRAW_FOLDERS = ['fresh_draws', 'responses'];

const columns = new Columns({});
const options = { missing: new Set(['NA']), wanted: (name: string) => columns.wanted(name) };

/** @throws ProblemError where there is nothing that could be imported. */
export async function findData(source: string): Promise<FoundData> {
  let isFolder: boolean;
  try {
    isFolder = statSync(source).isDirectory();
  } catch {
    throw new ProblemError({
      id: 'CJE-FILE-UNREADABLE',
      headline: `there is no ${source}`,
      hint: '--from import takes a folder or a file of data',
    });
  }
  return isFolder ? findFolder(source) : findTable(source);
}

async function findFolder(folder: string): Promise<FoundData> {
  const names = readdirSync(folder).sort();
  const logged = names.find(isLog) ?? null;
  const named = findDraws(folder, names);
  const fresh = named.size > 0 || logged !== null ? named : await findPlainDraws(folder, names);
  if (logged === null && fresh.size === 0) {
    throw new ProblemError({
      id: 'CJE-NO-DATA-FOUND',
      headline: `${folder} holds no evaluation data that is known`,
      facts: [['looked for', 'logged_data.jsonl, fresh_draws/POLICY_responses.jsonl, POLICY_responses.jsonl']],
      hint: 'For other files, name one with all rows: `cje init --from import data.csv`, or write a pipeline by hand.',
    });
  }
  const log = logged === null ? [] : await records(folder, logged);
  const targets = policiesOf(log);
  const manifest = readManifest(join(folder, MANIFEST));
  // The logger's own draws are often among the others; its name is in no file.
  const strangers = [...fresh.keys()].filter((policy) => !targets.includes(policy));
  const logger =
    manifest?.logger ??
    (logged === null ? null : strangers.length === 1 && targets.length > 0 ? strangers[0]! : 'base');
  const draws = new Map<string, readonly SourceRecord[]>();
  for (const [policy, file] of fresh) draws.set(policy, await records(folder, file));
  const found = [...targets, ...[...fresh.keys()].sort().filter((policy) => !targets.includes(policy))];
  return describe({
    folder,
    format: log.some(hasLogprob)
      ? "cje-eval's format of version 0.3: a log with log probabilities, and fresh draws"
      : "cje-eval's format of version 0.6: fresh draws and labels, no log probabilities",
    logger,
    policies: manifest?.policies ?? found.filter((policy) => policy !== logger),
    manifest,
    logged,
    fresh,
    rows: null,
    passedOver: names.filter(
      (name) => DATA_FILE.test(name) && name !== logged && name !== MANIFEST && ![...fresh.values()].includes(name),
    ),
    log,
    draws,
  });
}

async function findTable(file: string): Promise<FoundData> {
  const folder = dirname(file);
  const table = await readFile(folder, basename(file));
  const all = table.records;
  const lacking = (['prompt_id', 'policy', 'judge_score'] as const).filter(
    (field) => !all.some(({ fields }) => columns.read(fields, field) !== null),
  );
  if (lacking.length > 0) {
    throw new ProblemError({
      id: 'CJE-NO-COLUMN',
      headline: `${file} has no column of the usual name for ${lacking.join(', ')}`,
      facts: [
        ...lacking.map((field) => [field, `looked for ${columns.names(field).join(', ')}`] as const),
        ['it has', columnNames(table).join(', ') || 'no rows'],
      ],
      hint: 'Write a pipeline with a stage of kind `import` whose `columns:` says which column is which.',
    });
  }
  const byPolicy = new Map<string, SourceRecord[]>();
  for (const record of all) {
    const policy = columns.read(record.fields, 'policy');
    if (policy === null) continue;
    const name = String(policy).trim();
    const rows = byPolicy.get(name);
    if (rows === undefined) byPolicy.set(name, [record]);
    else rows.push(record);
  }
  const logger = [...byPolicy].find(([, rows]) => rows.some(hasLogprob))?.[0] ?? null;
  const log = logger === null ? [] : (byPolicy.get(logger) ?? []);
  const names = new Set([...byPolicy.keys(), ...policiesOf(log)]);
  return describe({
    folder,
    format: `one ${extname(file).slice(1) || 'data'} file with the rows of all policies`,
    logger,
    policies: [...names].filter((policy) => policy !== logger),
    manifest: undefined,
    logged: null,
    fresh: new Map(),
    rows: basename(file),
    passedOver: [],
    log,
    draws: new Map([...byPolicy].filter(([policy]) => policy !== logger)),
  });
}

/** What there is in common: a clone by its name, labels, scales. */
function describe(
  found: Omit<FoundData, 'clone' | 'scorer' | 'tempered' | 'holds' | 'offScale'> & {
    readonly manifest: Manifest | undefined;
    readonly log: readonly SourceRecord[];
    readonly draws: ReadonlyMap<string, readonly SourceRecord[]>;
  },
): FoundData {
  const { manifest, log, draws, ...rest } = found;
  const logprobs = log.some(hasLogprob);
  const clones = rest.policies.filter((policy) => /clone/i.test(policy));
  const labelled = (rows: readonly SourceRecord[]) =>
    rows.some(({ fields }) => columns.read(fields, 'oracle_label') !== null);
  const own = [...draws].filter(([policy]) => policy !== rest.logger).map(([, rows]) => rows);
  const everything = [log, ...draws.values()];
  return {
    ...rest,
    clone: manifest === undefined ? (logprobs && clones.length === 1 ? clones[0]! : null) : manifest.clone,
    scorer: manifest?.scorer ?? null,
    tempered: manifest?.tempered ?? [],
    holds: {
      logprobs,
      draws: own.length > 0,
      labels: everything.some(labelled),
      ownLabels: own.some(labelled),
    },
    offScale: [
      { setting: 'judge_scale', ...rangeOf(everything, 'judge_score') },
      { setting: 'label_scale', ...rangeOf(everything, 'oracle_label') },
    ].filter(({ from, to }) => from < 0 || to > 1),
  };
}

function findDraws(folder: string, names: readonly string[]): Map<string, string> {
  const files = [
    ...names.flatMap((name) => drawFile(name, drawsOf(name))),
    ...DRAW_FOLDERS.filter((inner) => names.includes(inner) && statSync(join(folder, inner)).isDirectory()).flatMap(
      (inner) =>
        readdirSync(join(folder, inner))
          .sort()
          .flatMap((name) => drawFile(join(inner, name), drawsOf(name) ?? stemOf(name))),
    ),
  ];
  const found = new Map<string, string>();
  for (const [policy, file] of files) {
    refuseSecond(policy, found.get(policy), file);
    found.set(policy, file);
  }
  return found;
}

/** @throws ProblemError where two files would be one policy's. */
function refuseSecond(policy: string, one: string | undefined, other: string): void {
  if (one === undefined) return;
  throw new ProblemError({
    id: 'CJE-POLICY-TWICE',
    headline: `two files hold draws of '${policy}'`,
    facts: [
      ['one', one],
      ['other', other],
    ],
    hint: 'Keep one file for each policy.',
  });
}

/** Files named for a policy alone, beside whatever else the folder holds: those with judge scores. */
async function findPlainDraws(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of names) {
    const policy = stemOf(name);
    if (policy === undefined || name === MANIFEST) continue;
    const rows = await records(folder, name);
    if (!rows.some(({ fields }) => columns.read(fields, 'judge_score') !== null)) continue;
    refuseSecond(policy, found.get(policy), name);
    found.set(policy, name);
  }
  return found;
}

const drawFile = (file: string, policy: string | undefined): (readonly [string, string])[] =>
  policy === undefined || isLog(basename(file)) ? [] : [[policy, file]];

async function records(folder: string, file: string): Promise<readonly SourceRecord[]> {
  return (await readFile(folder, file)).records;
}

function readFile(folder: string, file: string): Promise<Table> {
  const path = join(folder, file);
  return readTable({ bytes: readFileSync(path), label: path }, options);
}

/** Policies with log probabilities, in the order in which rows name them. */
function policiesOf(log: readonly SourceRecord[]): string[] {
  return [...new Set(log.flatMap(({ fields }) => [...(columns.targets(fields)?.keys() ?? [])]))];
}

const hasLogprob = ({ fields }: SourceRecord): boolean => columns.read(fields, 'base_logprob') !== null;

function rangeOf(
  tables: readonly (readonly SourceRecord[])[],
  field: 'judge_score' | 'oracle_label',
): { readonly from: number; readonly to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const rows of tables) {
    for (const { fields } of rows) {
      const cell = columns.read(fields, field);
      const value = typeof cell === 'string' ? Number.parseFloat(cell) : Number(cell ?? Number.NaN);
      if (value < from) from = value;
      if (value > to) to = value;
    }
  }
  return { from, to };
}

const manifestSchema = () =>
  z.object({
    version: z.literal(1),
    scorer: z.string(),
    logger: z.string().nullable(),
    policies: z.array(z.string()),
    clone: z.string().nullable(),
    tempered: z.array(z.string()),
  });
type Manifest = z.infer<ReturnType<typeof manifestSchema>>;

/** What `cje export` says beside the data. @throws ProblemError for a manifest that no export wrote. */
function readManifest(path: string): Manifest | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const manifest = manifestSchema().safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (manifest.success) return manifest.data;
  } catch {
    // Told below, as any other file that is not what its name says.
  }
  throw new ProblemError({
    id: 'CJE-BAD-DATA',
    headline: `${path} is not what \`cje export\` writes`,
    hint: 'Remove it, or export again.',
  });
}
