/** Kind `truth`: the exact values of the policies where the world is simulated; nothing elsewhere. */

import { z } from 'zod';
import { canonicalJson } from '../core/json.ts';
import type { TransformKind } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { TRUTH, type Truth } from '../datasets/results.ts';
import { PROMPTS, TRUTH_JSON } from '../datasets/row-types.ts';
import type { PromptRow } from '../datasets/rows.ts';
import { policyValue } from '../simulator/world/index.ts';
import { policySchema, sampledAt, temperatureSchema, USUAL_TEMPERATURE } from './files/policy.ts';

const params = z
  .strictObject({
    policies: z.record(z.string(), yamlFile(policySchema)).describe('The policies by name.'),
    temperature: temperatureSchema.describe('The temperature at which they answer.'),
    prompts_source: z
      .string()
      .describe('`simulated`: values over the law of prompts. Anything else: over the prompts of this run.'),
  })
  .transform(({ policies, ...given }) => ({
    ...given,
    policies: Object.fromEntries(
      Object.entries(policies).map(([name, policy]) => [name, sampledAt(policy, given.temperature)]),
    ),
  }));
type TruthParams = z.infer<typeof params>;

/** How the identity of a simulated provider begins. */
const SIMULATED = 'simulator:';

export const truth: TransformKind<TruthParams> = {
  name: 'truth',
  about: 'the exact values of the policies where the world is simulated',
  shape: 'transform',
  params,
  inputs: { prompts: { arity: 'one', rows: [PROMPTS] } },
  outputs: { [TRUTH]: TRUTH_JSON },

  expect: () => ({ items: 0, calls: [] }),

  run({ policies, temperature, prompts_source }, inputs) {
    const simulated = Object.values(policies).every(({ model }) => model.identity.startsWith(SIMULATED));
    const result: Truth = simulated
      ? valuesOf(policies, temperature, prompts_source, inputs.one('prompts').rows(PROMPTS))
      : { available: false, population: null, values: {} };
    return { files: { [TRUTH]: `${canonicalJson(result)}\n` } };
  },
};

function valuesOf(
  policies: TruthParams['policies'],
  override: TruthParams['temperature'],
  source: string,
  rows: Iterable<PromptRow>,
): Truth {
  const law = source === 'simulated';
  const prompts = law ? undefined : Array.from(rows, (row) => row.prompt);
  const values: Record<string, number> = {};
  for (const [name, { model, system, temperature }] of Object.entries(policies)) {
    values[name] = policyValue(
      {
        model: model.model,
        system: system ?? null,
        temperature: (override === 'policy' ? temperature : override) ?? USUAL_TEMPERATURE,
      },
      prompts,
    );
  }
  return { available: true, population: law ? 'prompt law' : 'these prompts', values };
}
