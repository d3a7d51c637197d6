/** Kind `import`: evaluation data that is there already, as kind `dataset` would have made it. */

import { z } from 'zod';
import { canonicalJson } from '../core/json.ts';
import { type Location, ROWS, type SourceKind } from '../core/kind.ts';
import { type IssueDetail, sourcePath, yamlFile } from '../core/params.ts';
import { FRESH, QUALITY, TEXTS } from '../datasets/dataset-rows.ts';
import { gatesSchema, USUAL_GATES } from '../datasets/gates-file.ts';
import { collectImport } from '../datasets/import/collect.ts';
import { columnsSchema } from '../datasets/import/columns.ts';
import { describeQuality } from '../datasets/quality.ts';
import { DATASET, DATASET_TEXTS, DRAWS, QUALITY_JSON } from '../datasets/row-types.ts';
import { promptItem } from '../datasets/rows.ts';
import { scaleField } from '../datasets/scale.ts';
import { rowSettings, scaleSchema, valuesSchema } from './files/table.ts';

const params = z
  .strictObject({
    scorer: z.string().default('judge').describe("The judge's name in the report."),
    logger: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The policy that wrote the log. Without a log: the policy on whose labelled draws the calibration is learnt.',
      ),
    policies: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Target policies in the order of the report; all that the files have unless told.'),
    clone: z.string().optional().describe('The policy that is a second sample of the logger: its weights must be 1.'),
    logged: sourcePath()
      .optional()
      .describe('Responses of the logger, with log probabilities under every policy where there are any.'),
    fresh: z.record(z.string().min(1), sourcePath()).default({}).describe("Each policy's own responses."),
    calibration: sourcePath()
      .optional()
      .describe(
        'More responses with judge scores and labels, of whomever, that teach the calibration beside the log’s; where both label one response, the log’s label is taken, and what differs is told.',
      ),
    probe: z
      .record(z.string().min(1), sourcePath())
      .default({})
      .describe(
        'Responses of a policy with judge scores and labels that enter no fit and no estimate: the calibration is held against them.',
      ),
    rows: sourcePath()
      .optional()
      .describe('In place of both: one file with the rows of all policies, told apart by a column.'),
    columns: columnsSchema.default({}).describe('The names of the columns, where they are not the usual ones.'),
    keep: z
      .array(z.string().min(1))
      .default([])
      .describe('Further columns that are kept beside the texts, for whoever looks at a row.'),
    judge_scale: scaleSchema().default([0, 1]).describe('The lowest and the highest judge score.'),
    label_scale: scaleSchema().default([0, 1]).describe('The lowest and the highest label; results are told on it.'),
    values: valuesSchema(),
    ...rowSettings,
    tempered: z.array(z.string()).default([]).describe('Policies that were not sampled at temperature 1 and top_p 1.'),
    gates: yamlFile(gatesSchema)
      .default(USUAL_GATES)
      .describe('The bounds below which data and estimates are refused.'),
    seed: z.int().min(0).default(42).describe('The seed of the split into folds.'),
  })
  .superRefine(({ logger, policies, clone, logged, fresh, calibration, probe, rows, tempered }, context) => {
    const complain = (path: (string | number)[], message: string, hint?: string) =>
      context.addIssue({
        code: 'custom',
        path,
        message,
        ...(hint === undefined ? {} : { params: { hint } satisfies IssueDetail }),
      });
    const files = Object.keys(fresh);
    if (rows !== undefined && (logged !== undefined || files.length > 0)) {
      complain(['rows'], '`rows` is one file of everything; it cannot stand beside `logged` and `fresh`');
    }
    if (rows === undefined && logged === undefined && files.length === 0) {
      complain([], 'there is nothing to import', 'Name files under `logged:` and `fresh:`, or one file as `rows:`.');
    }
    if (logged !== undefined && logger === undefined) {
      complain(['logged'], 'a log needs the name of the policy that wrote it', 'Add `logger: NAME`.');
    }
    if (logged === undefined && rows === undefined && logger !== undefined && !files.includes(logger)) {
      complain(['logger'], `there is no log, and no draws of '${logger}' under \`fresh\``);
    }
    if (calibration !== undefined && logger === undefined) {
      complain(['calibration'], 'a calibration set stands beside the labels of a log, and there is no `logger`');
    }
    for (const policy of Object.keys(probe)) {
      if (policy === logger) complain(['probe', policy], `'${policy}' is the logger; a probe is of a target policy`);
      else if (policies !== undefined && !policies.includes(policy)) {
        complain(['probe', policy], `'${policy}' is not among the policies`);
      }
    }
    if (policies === undefined) return;
    if (logger !== undefined && policies.includes(logger)) {
      complain(
        ['policies'],
        `'${logger}' is the logger; only target policies are evaluated`,
        'Remove it from `policies:`.',
      );
    }
    for (const policy of files) {
      if (policy === logger || policies.includes(policy)) continue;
      complain(
        ['fresh', policy],
        `'${policy}' is not among the policies`,
        'Add it to `policies:`, or remove its file.',
      );
    }
    if (clone !== undefined && !policies.includes(clone)) complain(['clone'], `'${clone}' is not among the policies`);
    for (const [index, policy] of tempered.entries()) {
      if (policy === logger || policies.includes(policy)) continue;
      complain(['tempered', index], `'${policy}' is not among the policies`);
    }
  });
type ImportParams = z.infer<typeof params>;

const LOGGED = 'logged';
const ALL = 'rows';
const SET = 'calibration';
const freshName = (policy: string): string => `fresh:${policy}`;
const probeName = (policy: string): string => `probe:${policy}`;

/** The order of keys in a YAML file is not part of what it says. */
const byPolicy = <T>(paths: object, file: (policy: string) => T): Map<string, T> =>
  new Map(
    Object.keys(paths)
      .sort()
      .map((policy) => [policy, file(policy)]),
  );

// A word that JavaScript keeps for itself.
export const importKind: SourceKind<ImportParams> = {
  name: 'import',
  about: 'evaluation data that is there already: cje-eval folders, CSV, JSON Lines, Parquet',
  shape: 'source',
  params,
  inputs: {},
  outputs: { [ROWS]: DATASET, [FRESH]: DRAWS, [QUALITY]: QUALITY_JSON, [TEXTS]: DATASET_TEXTS },
  measures: [{ column: 'judge_score', label: 'judge score', scale: 'unit', drawn: true }],
  item: promptItem,

  expect: () => ({ items: 0, calls: [] }),

  locate({ logged, fresh, calibration, probe, rows }): Record<string, Location> {
    return {
      ...(logged === undefined ? {} : { [LOGGED]: { type: 'path', path: logged } }),
      ...Object.fromEntries(Object.entries(fresh).map(([policy, path]) => [freshName(policy), { type: 'path', path }])),
      ...Object.fromEntries(Object.entries(probe).map(([policy, path]) => [probeName(policy), { type: 'path', path }])),
      ...(calibration === undefined ? {} : { [SET]: { type: 'path', path: calibration } }),
      ...(rows === undefined ? {} : { [ALL]: { type: 'path', path: rows } }),
    };
  },

  async parse({ scorer, logger, clone, gates, seed, fresh, probe, columns, ...options }, files) {
    const {
      joined: read,
      texts,
      remarks,
    } = await collectImport(
      {
        logged: files[LOGGED],
        fresh: byPolicy(fresh, (policy) => files[freshName(policy)]!),
        probe: byPolicy(probe, (policy) => files[probeName(policy)]!),
        calibration: files[SET],
        rows: files[ALL],
      },
      {
        logger: logger ?? null,
        clone,
        policies: options.policies,
        columns,
        keep: options.keep,
        scales: { judge: options.judge_scale, label: options.label_scale, words: options.values },
        where: options.where,
        missing: options.missing,
        onBadRow: options.on_bad_row,
        tempered: options.tempered,
      },
    );
    const all = [...read.logged, ...read.fresh, ...(read.calibrationSet ?? []), ...(read.probe ?? [])];
    const isLabelled = all.some((row) => row.oracle_label !== null);
    const joined = { ...read, ...scaleField(isLabelled ? options.label_scale : options.judge_scale) };
    const quality = describeQuality(joined, { scorer, logger: logger ?? null, clone: clone ?? null, gates, seed });
    return {
      files: {
        [ROWS]: joined.logged,
        [FRESH]: [...joined.fresh, ...(joined.calibrationSet ?? []), ...(joined.probe ?? [])],
        [QUALITY]: `${canonicalJson(quality)}\n`,
        [TEXTS]: texts,
      },
      ...(remarks.length === 0 ? {} : { notes: remarks }),
    };
  },
};
