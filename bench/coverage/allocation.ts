/** What labels chosen by known probability are worth beside as many at random. */

import { probabilities } from '../../src/stats/allocation.ts';
import { allocateLabels, type EvaluationData, estimate } from '../../src/stats/index.ts';
import { mean, sampleVariance } from '../../src/stats/numeric/moments.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';
import { EQUATION_WORLDS, equationValue, labelSpread, simulateEquations } from './equations.ts';
import type { Seeds } from './study.ts';
import { choose } from './world.ts';

interface Plan {
  readonly world: 'STEP' | 'BETA' | 'CONT';
  /** Labels at random first, and in all. */
  readonly pilot: number;
  readonly labels: number;
  /** Draws of the policy a prompt: with many its own sampling error is small beside that of the labels. */
  readonly prompts: number;
}

const PLANS: readonly Plan[] = [
  { world: 'STEP', pilot: 30, labels: 60, prompts: 500 },
  { world: 'STEP', pilot: 30, labels: 120, prompts: 500 },
  { world: 'STEP', pilot: 30, labels: 60, prompts: 4000 },
  { world: 'BETA', pilot: 30, labels: 60, prompts: 500 },
  { world: 'CONT', pilot: 30, labels: 60, prompts: 500 },
];
const ESTIMATORS = ['direct', 'dr-labelled'] as const;

interface Outcome {
  readonly errors: number[];
  /** Of the part of the standard error that labels cause. */
  readonly standardErrors: number[];
  held: number;
}

/** @returns lines of a table: how far estimates err with labels at random, and with as many of which some were allocated. */
export function allocationLines({ first, count }: Seeds, asked: (plan: Plan) => boolean = () => true): string[] {
  const head = [
    '| world | prompts | labels, of them first at random | estimator | RMSE, at random · allocated · with the true spread | ratio · with the true spread | mean SE ratio · with the true spread | held % |',
    '|---|---:|---|---|---|---|---|---|',
  ];
  const lines = PLANS.filter(asked).flatMap((plan) => {
    const settings = {
      ...EQUATION_WORLDS[plan.world]!,
      prompts: plan.prompts,
      labels: plan.prompts,
      policies: ['near'],
    };
    const truth = equationValue(settings, 'near');
    const outcomes = new Map<string, Outcome>();
    for (let seed = first; seed < first + count; seed++) {
      const full = simulateEquations(settings, seed);
      const ways = {
        random: atRandom(full, plan.labels, seed),
        allocated: allocated(full, plan, seed),
        known: allocatedByTruth(full, plan, seed),
      };
      for (const [way, data] of Object.entries(ways)) {
        for (const estimator of ESTIMATORS) {
          const [p] = estimate({ estimator, rewardCalibration: 'monotone' }, data).policies;
          const of = outcomes.get(`${estimator} ${way}`) ?? { errors: [], standardErrors: [], held: 0 };
          outcomes.set(`${estimator} ${way}`, of);
          if (p!.status !== 'ok') continue;
          of.errors.push(p!.estimate - truth);
          of.standardErrors.push(p!.standardError);
          if (p!.interval[0] <= truth && truth <= p!.interval[1]) of.held++;
        }
      }
    }
    return ESTIMATORS.map((estimator) => {
      const [random, chosen, known] = ['random', 'allocated', 'known'].map(
        (way) => outcomes.get(`${estimator} ${way}`)!,
      );
      const rmse = ({ errors }: Outcome) => Math.sqrt(errors.reduce((s, e) => s + e * e, 0) / errors.length);
      const error = ({ standardErrors: of }: Outcome) => of.reduce((s, e) => s + e, 0) / of.length;
      const held = ({ errors, held: hits }: Outcome) => ((100 * hits) / errors.length).toFixed(1);
      const ratios = (of: (outcome: Outcome) => number) =>
        [chosen!, known!].map((way) => (of(way) / of(random!)).toFixed(2)).join(' · ');
      const cells = [
        plan.world,
        plan.prompts,
        `${plan.labels}, ${plan.pilot}`,
        estimator,
        [random!, chosen!, known!].map((way) => rmse(way).toFixed(4)).join(' · '),
        ratios(rmse),
        ratios(error),
        [random!, chosen!, known!].map(held).join(' · '),
      ];
      return `| ${cells.join(' | ')} |`;
    });
  });
  return [...head, ...lines];
}

const PILOTS = [
  [0, 60],
  [15, 60],
  [30, 60],
  [50, 100],
  [100, 200],
  [200, 400],
  [400, 800],
] as const;
const FLOORS = [0.05, 0.2, 0.5];

/**
 * The most that any allocation could come to, by the formula and not by simulation: the standard error of a mean of M
 * responses, √((Var Y + E[u (1/π − 1)])/M), with π made of the world's own spread u = Var(Y | S), over that of as many
 * labels at random. Rows that a pilot has labelled keep their probability, and no row has less than a floor's share of the
 * mean one.
 */
export function allocationBoundLines(): string[] {
  const head = [
    `| world | prompts | labels, of them first at random | SE ratio at a floor of ${FLOORS.join(' · ')} | of the labels’ part alone |`,
    '|---|---:|---|---|---|',
  ];
  const lines = (['STEP', 'BETA'] as const).flatMap((world) =>
    [500, 4000].flatMap((prompts) =>
      PILOTS.filter(([, labels]) => labels < prompts).map(([pilot, labels]) => {
        const settings = { ...EQUATION_WORLDS[world]!, prompts, labels: prompts, policies: ['near'] };
        const { judgeScores, oracleLabels } = simulateEquations(settings, 1).logged;
        const spread = judgeScores.map(labelSpread[world]);
        const ratios = FLOORS.map((floor) => {
          const before = judgeScores.map(() => Math.max(pilot / prompts, (floor * labels) / prompts));
          const chosen = probabilities(spread, before, labels, 0);
          return boundOf(spread, chosen, { labels, variance: sampleVariance(oracleLabels) });
        });
        const told = (of: (ratio: (typeof ratios)[number]) => number) =>
          ratios.map((r) => of(r).toFixed(2)).join(' · ');
        const cells = [world, prompts, `${labels}, ${pilot}`, told((r) => r.whole), told((r) => r.labels)];
        return `| ${cells.join(' | ')} |`;
      }),
    ),
  );
  return [...head, ...lines];
}

/** Ratios of standard errors, chosen over at random. */
function boundOf(
  spread: Float64Array,
  chosen: Float64Array,
  { labels, variance }: { readonly labels: number; readonly variance: number },
) {
  const random = labels / spread.length;
  const [byChoice, byChance] = [(i: number) => chosen[i]!, () => random].map((of) =>
    mean(spread.map((s, i) => s ** 2 / of(i))),
  );
  const scatter = mean(spread.map((s) => s ** 2));
  return {
    whole: Math.sqrt((variance - scatter + byChoice!) / (variance - scatter + byChance!)),
    labels: Math.sqrt(byChoice! / byChance!),
  };
}

const labelledWhere = (data: EvaluationData, keep: (i: number) => boolean): EvaluationData => ({
  ...data,
  logged: { ...data.logged, oracleLabels: data.logged.oracleLabels.map((y, i) => (keep(i) ? y : Number.NaN)) },
});

function atRandom(full: EvaluationData, labels: number, seed: number): EvaluationData {
  const kept = choose(full.logged.promptIds.length, labels, randomSource(seed, 3).uniform);
  return labelledWhere(full, (i) => kept.has(i));
}

function allocated(full: EvaluationData, { pilot, labels }: Plan, seed: number): EvaluationData {
  const before = atRandom(full, pilot, seed + 1_000_000);
  const plan = allocateLabels({ estimator: 'direct', rewardCalibration: 'monotone' }, before, {
    labels: labels - pilot,
    seed,
  });
  if (!plan.ok) throw new Error(plan.refusal.message);
  const data = labelledWhere(full, (i) => !Number.isNaN(before.logged.oracleLabels[i]!) || plan.rows[i]!.chosen);
  const labelPropensities = Float64Array.from(plan.rows, (row) => row.labelPropensity);
  return { ...data, logged: { ...data.logged, labelPropensities } };
}

/** What an allocation could come to at most: by the world's own spread of labels at each score, in place of an estimate. */
function allocatedByTruth(full: EvaluationData, { world, pilot, labels }: Plan, seed: number): EvaluationData {
  const { judgeScores } = full.logged;
  const first = pilot / judgeScores.length;
  const propensities = probabilities(
    judgeScores.map(labelSpread[world]),
    judgeScores.map(() => first),
    labels,
  );
  const before = atRandom(full, pilot, seed + 1_000_000);
  const { uniform } = randomSource(seed, 5);
  const chosen = Array.from(propensities, (p) => uniform() < (p - first) / (1 - first));
  const data = labelledWhere(full, (i) => !Number.isNaN(before.logged.oracleLabels[i]!) || chosen[i]!);
  return { ...data, logged: { ...data.logged, labelPropensities: propensities } };
}
