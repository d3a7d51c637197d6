/** Kind `dataset`: responses, log probabilities, scores and labels joined, checked and summed up. */

import { z } from 'zod';
import { canonicalJson } from '../core/json.ts';
import { type InputSizes, ROWS, type TransformKind, type WiredNode, type WiringFault } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { FRESH, QUALITY } from '../datasets/dataset-rows.ts';
import { gatesSchema, USUAL_GATES } from '../datasets/gates-file.ts';
import { joinInputs } from '../datasets/join.ts';
import { describeQuality } from '../datasets/quality.ts';
import { DATASET, DRAWS, LABELS, LOGPROBS, QUALITY_JSON, RESPONSES, SCORES } from '../datasets/row-types.ts';
import { promptItem, ROWS_TO_BE_HEAVY } from '../datasets/rows.ts';

const params = z.strictObject({
  scorer: z.string().describe('The judge’s name in the report.'),
  logger: z
    .string()
    .optional()
    .describe('The policy that wrote the log. Without one the dataset is direct: all policies are ranked alike.'),
  clone: z.string().optional().describe('The policy that is a second sample of the logger: its weights must be 1.'),
  gates: yamlFile(gatesSchema).default(USUAL_GATES).describe('The bounds below which data and estimates are refused.'),
  seed: z.int().min(0).default(42).describe('The seed of the split into folds.'),
});
type DatasetParams = z.infer<typeof params>;

export const dataset: TransformKind<DatasetParams> = {
  name: 'dataset',
  about: 'responses, scores and labels joined and checked; with a log, also log probabilities',
  shape: 'transform',
  params,
  inputs: {
    responses: { arity: 'many', rows: [RESPONSES] },
    logprobs: { arity: 'optional-many', rows: [LOGPROBS] },
    scores: { arity: 'many', rows: [SCORES] },
    oracle: { arity: 'optional', rows: [LABELS] },
    probe: { arity: 'optional', rows: [LABELS] },
    consistency: { arity: 'optional-many', rows: [LOGPROBS] },
  },
  outputs: { [ROWS]: DATASET, [FRESH]: DRAWS, [QUALITY]: QUALITY_JSON },
  measures: [{ column: 'judge_score', label: 'judge score', scale: 'unit', drawn: true }],
  item: promptItem,
  check: datasetFaults,

  expect: (given, sizes) => ({ items: rowsOf(given, sizes), calls: [] }),

  heavy: (given, sizes) => rowsOf(given, sizes) >= ROWS_TO_BE_HEAVY,

  run({ scorer, logger = null, clone = null, gates, seed }, inputs) {
    const joined = joinInputs(inputs, logger, {
      response: gates.data.consistency_row,
      token: gates.data.consistency_largest,
    });
    const quality = describeQuality(joined, { scorer, logger, clone, gates, seed });
    return {
      files: {
        [ROWS]: joined.logged,
        [FRESH]: [...joined.fresh, ...(joined.probe ?? [])],
        [QUALITY]: `${canonicalJson(quality)}\n`,
      },
    };
  },
};

/** The logger's rows; in a direct dataset those of all policies. */
function rowsOf({ logger }: DatasetParams, sizes: InputSizes): number {
  const responses = sizes.many('responses');
  if (logger !== undefined) return responses.get(logger) ?? 0;
  return [...responses.values()].reduce((sum, size) => sum + size, 0);
}

/** Rows are joined by policy, and a policy is what the globs of the inputs leave open: those must be the same names. */
function datasetFaults({ logger, clone }: DatasetParams, inputs: (name: string) => readonly WiredNode[]) {
  const faults: WiringFault[] = [];
  const responses = inputs('responses');
  const policies = responses.map(({ label }) => label);
  const named = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ');
  for (const input of ['scores', 'logprobs'] as const) {
    const given = inputs(input);
    const [stranger] = given.filter(({ label }) => !policies.includes(label));
    if (stranger !== undefined) {
      const parts = stranger.label.includes('/');
      const isOpen = stranger.label !== '';
      faults.push({
        at: { input },
        message: isOpen
          ? `'${stranger.name}' is of the policy '${stranger.label}', of which there are no responses`
          : `the input '${input}' names '${stranger.name}' alone, so nothing says whose it is`,
        hint:
          `The responses are of ${named(policies)}: the glob of '${input}' must leave the policy open, and nothing else.` +
          (parts && stranger.kind.again !== undefined ? ` ${stranger.kind.again}` : ''),
      });
      continue;
    }
    const without = policies.filter((policy) => !given.some(({ label }) => label === policy));
    if (given.length > 0 && without.length > 0) {
      faults.push({
        at: { input },
        message: `the input '${input}' has nothing of ${named(without)}, and the responses have`,
        hint: 'Name the nodes of all policies, or leave these out of `responses`.',
      });
    }
  }
  for (const [param, policy] of [
    ['logger', logger],
    ['clone', clone],
  ] as const) {
    if (policy === undefined || policies.includes(policy)) continue;
    faults.push({
      at: { param: [param] },
      message: `there are no responses of the ${param} '${policy}'`,
      hint: `The responses are of ${named(policies)}.`,
    });
  }
  if (logger === undefined && clone !== undefined) {
    faults.push({ at: { param: ['clone'] }, message: 'a clone is one of a logger, and there is none' });
  }
  if (logger === undefined && inputs('logprobs').length > 0) {
    faults.push({
      at: { input: 'logprobs' },
      message: 'log probabilities are of the log, and no `logger:` says who wrote it',
      hint: 'Name the logger, or leave the input out for a direct dataset.',
    });
  }
  const several = responses.find(({ label, params }) => label === logger && Number(params.draws ?? 1) > 1);
  if (several !== undefined) {
    faults.push({
      at: { input: 'responses' },
      message: `the log is one answer a prompt, and '${several.name}' gives several draws`,
      hint: 'Let the logger answer once, or leave `logger:` out for a direct dataset.',
    });
  }
  return faults;
}
