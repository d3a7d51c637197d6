/**
 * Worlds of a few equations each, with values known by quadrature: what estimates meet outside of the simulated world's
 * text. A prompt has one effect q ~ N(0, 1); a response has a style z, which policy π draws from N(μ, σ) whatever the
 * prompt, so log ratios are exact. g(q, z) = expit(0.2 + 0.8 z + 0.7 q); scores and labels are cut at [0, 1].
 */

import type { EvaluationData, FreshDraws } from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';
import { normalCdf } from '../../src/stats/numeric/special-functions.ts';
import { normalDensity, normalGrid } from './normal-grid.ts';
import { choose } from './world.ts';

type Random = ReturnType<typeof randomSource>;

/** Mean and spread of the style. */
const STYLES: Readonly<Record<string, readonly [mean: number, spread: number]>> = {
  clone: [0, 1],
  near: [0.15, 1],
  mod: [0.5, 1],
  far: [1.2, 0.9],
  edge: [2, 1],
  edge125: [1.25, 1],
  edge15: [1.5, 1],
  edge175: [1.75, 1],
};

export const EQUATIONS = ['CONT', 'BETA', 'LIKERT', 'BIN95', 'RARE', 'SHARED', 'NOISY', 'STEP', 'BLIND'] as const;
type Equations = (typeof EQUATIONS)[number];

/** One study's world, as plain data. */
export interface EquationSettings {
  readonly equations: Equations;
  readonly policies: readonly string[];
  readonly prompts: number;
  /** Labelled rows of the log. */
  readonly labels: number;
  /** Labelled draws of each policy. */
  readonly ownLabels: number;
  /** Rows, and draws of each policy, a prompt. */
  readonly repeats: number;
  /**
   * Which rows of the log are labelled: at random; more often where the label is low (probability 0.5 below 0.3, else
   * 0.125); or by score (0.5 below 0.4, else 0.1), so that the chance is known.
   */
  readonly labelling: 'random' | 'by-label' | 'by-score';
  /** Whether the probabilities of `by-score` stand in the data. */
  readonly declared: boolean;
  /** Which draws are missing: of `mod` those of prompts with q < 0, or a share of every policy's at random. */
  readonly missing: 'none' | 'hard' | number;
}

const PLAIN: EquationSettings = {
  equations: 'CONT',
  policies: ['clone', 'mod', 'far'],
  prompts: 500,
  labels: 125,
  ownLabels: 0,
  repeats: 1,
  labelling: 'random',
  declared: false,
  missing: 'none',
};

/** The worlds by name; a study may change what it likes. */
export const EQUATION_WORLDS: Readonly<Record<string, EquationSettings>> = {
  CONT: PLAIN,
  BETA: { ...PLAIN, equations: 'BETA' },
  LIKERT: { ...PLAIN, equations: 'LIKERT', labels: 100 },
  BIN95: { ...PLAIN, equations: 'BIN95', labels: 100 },
  RARE: { ...PLAIN, equations: 'RARE', prompts: 1000, labels: 50, policies: ['clone', 'mod'] },
  SHARED: { ...PLAIN, equations: 'SHARED', prompts: 60, repeats: 8, labels: 240, policies: ['clone', 'mod'] },
  'SHARED-ONE': { ...PLAIN, equations: 'SHARED', policies: ['clone', 'mod'] },
  NOISY: { ...PLAIN, equations: 'NOISY' },
  STEP: { ...PLAIN, equations: 'STEP', labels: 60 },
  BLIND: { ...PLAIN, equations: 'BLIND', ownLabels: 60 },
  MNAR: { ...PLAIN, labelling: 'by-label' },
  'BY-SCORE': { ...PLAIN, labelling: 'by-score', declared: true, ownLabels: 100 },
  MISSING: { ...PLAIN, policies: ['mod'], missing: 'hard' },
  'MISSING-FEW': { ...PLAIN, missing: 0.02 },
  EDGE: { ...PLAIN, policies: ['edge'] },
};

const expit = (x: number) => 1 / (1 + Math.exp(-x));
const clip = (x: number) => Math.min(Math.max(x, 0), 1);

/** E clip(mean + sd ε) for standard normal ε. */
function clippedMean(mean: number, sd: number): number {
  const [a, b] = [-mean / sd, (1 - mean) / sd];
  return mean * (normalCdf(b) - normalCdf(a)) + sd * (normalDensity(a) - normalDensity(b)) + 1 - normalCdf(b);
}

interface Seen {
  readonly score: number;
  readonly label: number;
}

/** How one world's judge and oracle see a response. */
interface Law {
  see(q: number, z: number, random: Random): Seen;
  /** The mean label of a policy. */
  value(mean: number, spread: number): number;
}

/** Worlds whose label depends on the score alone, S = clip(g + 0.08 ε). */
function surrogate(label: (score: number, random: Random) => number, expected: (score: number) => number): Law {
  return {
    see(q, z, random) {
      const score = clip(expit(0.2 + 0.8 * z + 0.7 * q) + 0.08 * random.normal());
      return { score, label: label(score, random) };
    },
    value: (mean, spread) => {
      const sd = Math.sqrt((0.8 * spread) ** 2 + 0.7 ** 2);
      return normalGrid(400, (u) =>
        normalGrid(200, (e) => expected(clip(expit(0.2 + 0.8 * mean + sd * u) + 0.08 * e))),
      );
    },
  };
}

const bent = (score: number) => 0.1 + 0.8 * score ** 1.6;
const binary = (p: number, random: Random) => (random.uniform() < p ? 1 : 0);
const stepSpread = (score: number) => (score < 0.5 ? 0.2 : 0.02);
const betaMean = (score: number) => 0.05 + 0.9 * score ** 1.5;

/** √Var(Y | S) of worlds whose labels depend on the score alone, but for what the ends of the scale cut off. */
export const labelSpread: Readonly<Record<'CONT' | 'STEP' | 'BETA', (score: number) => number>> = {
  CONT: () => 0.15,
  STEP: stepSpread,
  BETA: (s) => Math.sqrt((betaMean(s) * (1 - betaMean(s))) / (2 + 12 * s)),
};

const CUTS = [-1.2, -0.3, 0.5, 1.3];

const LAWS: Readonly<Record<Equations, Law>> = {
  CONT: surrogate(
    (s, random) => clip(bent(s) + 0.15 * random.normal()),
    (s) => clippedMean(bent(s), 0.15),
  ),
  BETA: surrogate((s, random) => beta(betaMean(s), 1 + 12 * s, random), betaMean),
  BIN95: surrogate(
    (s, random) => binary(0.88 + 0.1 * s, random),
    (s) => 0.88 + 0.1 * s,
  ),
  RARE: surrogate(
    (s, random) => binary(0.005 + 0.06 * s * s, random),
    (s) => 0.005 + 0.06 * s * s,
  ),
  STEP: surrogate(
    (s, random) => clip(bent(s) + stepSpread(s) * random.normal()),
    (s) => clippedMean(bent(s), stepSpread(s)),
  ),
  LIKERT: {
    see(q, z, random) {
      const u = 0.7 * z + 0.5 * q + 0.4 * random.normal();
      const level = CUTS.filter((cut) => u >= cut).length;
      const down = random.uniform() < 0.25 ? 1 : 0;
      const up = random.uniform() < 0.2 ? 1 : 0;
      return { score: level / 4, label: clip((level - down + up) / 4) };
    },
    value(mean, spread) {
      const [centre, sd] = [0.7 * mean, Math.sqrt((0.7 * spread) ** 2 + 0.5 ** 2 + 0.4 ** 2)];
      const below = [0, ...CUTS.map((cut) => normalCdf((cut - centre) / sd)), 1];
      // One of both steps that cancel leaves the level: down alone 0.25 · 0.8, up alone 0.2 · 0.75.
      const expected = (level: number) => level - (level === 0 ? 0 : 0.2) + (level === 4 ? 0 : 0.15);
      return [0, 1, 2, 3, 4].reduce(
        (total, level) => total + ((below[level + 1]! - below[level]!) * expected(level)) / 4,
        0,
      );
    },
  },
  SHARED: {
    see(q, _, random) {
      const u = 0.5 + 0.15 * q;
      return { score: clip(u + 0.15 * random.normal()), label: clip(u + 0.03 * random.normal()) };
    },
    value: () => 0.5,
  },
  BLIND: {
    see(q, z, random) {
      return { score: random.uniform(), label: clip(expit(0.2 + 0.8 * z + 0.7 * q) + 0.1 * random.normal()) };
    },
    value: (mean, spread) =>
      normalGrid(2000, (u) =>
        clippedMean(expit(0.2 + 0.8 * mean + Math.sqrt((0.8 * spread) ** 2 + 0.7 ** 2) * u), 0.1),
      ),
  },
  NOISY: {
    see(q, z, random) {
      const g = expit(0.2 + 0.8 * z + 0.7 * q);
      return { score: clip(g + 0.08 * random.normal()), label: beta(g, 1 + 12 * g, random) };
    },
    value: (mean, spread) =>
      normalGrid(2000, (u) => expit(0.2 + 0.8 * mean + Math.sqrt((0.8 * spread) ** 2 + 0.7 ** 2) * u)),
  },
};

/** A beta variate with the given mean and sum of shapes. */
export function beta(mean: number, size: number, random: Random): number {
  const [a, b] = [gamma(mean * size, random), gamma((1 - mean) * size, random)];
  return a + b > 0 ? a / (a + b) : mean;
}

/** Marsaglia and Tsang 2000; below shape 1 by the power of a uniform. */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * random.uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

const values = new Map<string, number>();

/** The mean label of a policy's responses. */
export function equationValue({ equations }: EquationSettings, policy: string): number {
  const key = `${equations} ${policy}`;
  let value = values.get(key);
  if (value === undefined) {
    const [mean, spread] = STYLES[policy]!;
    value = LAWS[equations].value(mean, spread);
    values.set(key, value);
  }
  return value;
}

const logDensity = (z: number, [mean, spread]: readonly [number, number]) =>
  -0.5 * ((z - mean) / spread) ** 2 - Math.log(spread) - 0.5 * Math.log(2 * Math.PI);

/** Log probabilities of whole responses are far below 0. */
const LEVEL = -60;

/** One data set; a pure function of settings and seed. */
export function simulateEquations(settings: EquationSettings, seed: number): EvaluationData {
  const { equations, policies, prompts, repeats } = settings;
  const random = randomSource(seed, 0);
  const law = LAWS[equations];
  const effects = Array.from({ length: prompts }, () => random.normal());
  const rows = Array.from({ length: prompts * repeats }, (_, i) => Math.floor(i / repeats));
  const respond = ([mean, spread]: readonly [number, number], prompt: number) => {
    const z = mean + spread * random.normal();
    return { z, ...law.see(effects[prompt]!, z, random) };
  };
  const log = rows.map((prompt) => respond(STYLES.clone!, prompt));
  const logLabelled = labelledRows(settings, log, random);
  const ids = rows.map((prompt) => `prompt-${prompt}`);
  const draws = new Map(
    policies.map((policy): [string, FreshDraws] => {
      const kept = rows.filter((prompt) => !isMissing(settings, policy, effects[prompt]!, random));
      const own = kept.map((prompt) => respond(STYLES[policy]!, prompt));
      const labelled = labelledRows({ ...settings, labels: Math.min(settings.ownLabels, own.length) }, own, random);
      return [
        policy,
        {
          promptIds: kept.map((prompt) => `prompt-${prompt}`),
          drawIndexes: Int32Array.from(kept, (_, i) => i % repeats),
          ...scored(settings, own, (i) => labelled.has(i)),
        },
      ];
    }),
  );
  const logprobs = (of: readonly [number, number]) => Float64Array.from(log, ({ z }) => LEVEL + logDensity(z, of));
  return {
    logged: {
      promptIds: ids,
      ...scored(settings, log, (i) => logLabelled.has(i)),
      baseLogprobs: logprobs(STYLES.clone!),
      targetLogprobs: new Map(policies.map((policy) => [policy, logprobs(STYLES[policy]!)])),
    },
    policies,
    freshDraws: draws,
  };
}

const byScore = ({ score }: Seen) => (score < 0.4 ? 0.5 : 0.1);

function scored({ declared }: EquationSettings, responses: readonly Seen[], labelled: (i: number) => boolean) {
  return {
    judgeScores: Float64Array.from(responses, ({ score }) => score),
    judgeVariances: new Float64Array(responses.length),
    oracleLabels: Float64Array.from(responses, ({ label }, i) => (labelled(i) ? label : Number.NaN)),
    ...(declared ? { labelPropensities: Float64Array.from(responses, byScore) } : {}),
    responseLengths: new Float64Array(responses.length).fill(50),
  };
}

function labelledRows({ labelling, labels }: EquationSettings, log: readonly Seen[], random: Random): Set<number> {
  if (labels === 0) return new Set();
  if (labelling === 'random') return choose(log.length, labels, random.uniform);
  const chance = (row: Seen) => (labelling === 'by-label' ? (row.label < 0.3 ? 0.5 : 0.125) : byScore(row));
  return new Set(log.flatMap((row, i) => (random.uniform() < chance(row) ? [i] : [])));
}

function isMissing({ missing }: EquationSettings, policy: string, effect: number, random: Random): boolean {
  if (missing === 'none') return false;
  return missing === 'hard' ? policy === 'mod' && effect < 0 : random.uniform() < missing;
}
