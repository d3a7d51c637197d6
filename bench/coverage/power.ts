/** What plans of `cje power` come to: studies of the planned size, and how often they find the difference that was planned for. */

import { outlookOf, TRUSTED_FIT } from '../../src/datasets/planning/outlook.ts';
import { type Pilot, pilotOf } from '../../src/datasets/planning/pilot.ts';
import { comparePolicies, type EstimatorSettings, estimate, type Plan, POWER } from '../../src/stats/index.ts';
import { EQUATION_WORLDS } from './equations.ts';
import { HELD_OUT } from './held-out.ts';
import { type Seeds, type StudyWorld, worldOf } from './study.ts';

/** A world in whose studies a number of prompts and labels can be asked for. */
type Sized = Extract<StudyWorld, { readonly labels: number }>;

interface Question {
  readonly world: string;
  readonly settings: Sized;
  readonly pair: readonly [string, string];
  readonly estimators: readonly EstimatorSettings['estimator'][];
}

const CONT = EQUATION_WORLDS.CONT!;
const sized = (of: Sized, prompts: number, labels: number, ownLabels = 0): Sized => ({
  ...of,
  prompts,
  labels,
  ownLabels,
});
const question = (
  world: string,
  settings: Sized,
  pair: readonly [string, string],
  estimators: Question['estimators'] = ['direct'],
): Question => ({ world, settings: { ...settings, policies: [...pair] } as Sized, pair, estimators });
const heldOut = (name: string, prompts: number, labels: number): Question =>
  question(name, sized(HELD_OUT[name]!, prompts, labels), ['twin', 'lift'], ['direct', 'snips']);

/** Pilots of many labels and of few, of labels of many values and of two or three. */
const QUESTIONS: readonly Question[] = [
  question('CONT', sized(CONT, 1000, 250), ['clone', 'near'], ['direct', 'snips']),
  question('CONT, own labels', sized(CONT, 1000, 250, 250), ['clone', 'near'], ['direct-augmented']),
  question('CONT', sized(CONT, 400, 50), ['clone', 'near'], ['direct', 'snips']),
  heldOut('STRAIGHT', 400, 50),
  heldOut('MIX', 400, 60),
  heldOut('HALVES', 400, 60),
  heldOut('ZEROS', 400, 60),
];

const PRICES = { score: 0.01, label: 0.1 };

export const POWER_HEAD = [
  '| world | estimator | pilot, prompts and labels | difference | plans, prompts and labels | found % by plan | found % | refused % | SE planned over SE met |',
  '|---|---|---|---:|---|---|---:|---:|---:|',
];

/** A line an estimator. @param pilots how many plans are made @param studies how many of each plan are run */
export function powerLines({ first, count: studies }: Seeds, pilots: number, asked: readonly string[]): string[] {
  return QUESTIONS.filter(({ world }) => asked.length === 0 || asked.includes(world)).flatMap((of) =>
    of.estimators.map((estimator) => powerLine(of, estimator, { first, count: studies }, pilots)),
  );
}

function powerLine(
  { world: name, settings, pair, estimators: _ }: Question,
  estimator: EstimatorSettings['estimator'],
  { first, count }: Seeds,
  pilots: number,
): string {
  const world = worldOf(settings);
  const difference = Math.abs(world.value(pair[0]) - world.value(pair[1]));
  const plans: string[] = [];
  const shares: number[] = [];
  let [refused, met, planned] = [0, 0, 0];
  for (let k = 0; k < pilots; k++) {
    const seed = first + 1_000_000 + k;
    const pilot = pilotOf({ estimator }, world.simulate(seed));
    const plan = planOf(pilot, { estimator, difference, pair });
    if (typeof plan === 'string') {
      plans.push(`none (${plan})`);
      continue;
    }
    const ownLabels = Math.round((settings.ownLabels * plan.prompts) / settings.prompts);
    const study = worldOf(sized(settings, plan.prompts, plan.labels, ownLabels));
    let found = 0;
    for (let i = 0; i < count; i++) {
      const result = estimate({ estimator }, study.simulate(first + 10_000 * (k + 1) + i));
      const [a, b] = pair.map((policy) => result.policies.find((p) => p.policy === policy));
      if (a?.status !== 'ok' || b?.status !== 'ok') {
        refused++;
        continue;
      }
      const { pValue, standardError } = comparePolicies(a, b, result.config);
      if (pValue < POWER.alpha) found++;
      met += standardError;
      planned += plan.standardError;
    }
    plans.push(`${plan.prompts}, ${plan.labels}`);
    shares.push((100 * found) / count);
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / Math.max(shares.length, 1);
  const cells = [
    name,
    estimator,
    `${settings.prompts}, ${settings.labels}`,
    difference.toFixed(4),
    plans.join(' · '),
    shares.map((share) => share.toFixed(0)).join(' · '),
    mean.toFixed(0),
    ((100 * refused) / Math.max(count * shares.length, 1)).toFixed(0),
    (planned / met).toFixed(2),
  ];
  return `| ${cells.join(' | ')} |`;
}

interface Wanted {
  readonly estimator: string;
  readonly difference: number;
  readonly pair: readonly [string, string];
}

/** Why there is none, where the pilot bears no plan. */
function planOf(pilot: Pilot, { estimator, difference, pair }: Wanted): Plan | string {
  const refused = pilot.policies.find(({ status }) => status === 'refused');
  if (refused?.status === 'refused') return refused.gate;
  const { rSquared } = pilot.pairs.find(({ a, b }) => pair.includes(a) && pair.includes(b))!;
  if (rSquared !== null && rSquared < TRUSTED_FIT) return `R² ${rSquared.toFixed(1)}`;
  const question = { dataset: 'pilot', estimator, pilot, prices: PRICES, options: POWER, between: pair };
  return outlookOf({ ...question, goal: { type: 'difference', difference } }).plan!;
}
