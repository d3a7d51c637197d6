import type { EvaluationData, FreshDraws } from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

/**
 * The simulated world's statistics without its text: sentences draw levels, a judge and an oracle see the mean level.
 * Small enough that every policy's value is an exact sum.
 */
export interface WorldSettings {
  readonly prompts: number;
  /** Share of logged rows with an oracle label, drawn without replacement. */
  readonly labelled: number;
  /** θ of the logging policy and of each target. */
  readonly base: number;
  readonly targets: Readonly<Record<string, number>>;
  /** The judge's bend: score = s^(1 + κ). */
  readonly kappa: number;
  /** Added to the judge's score per policy (on [0, 1], clipped): a judge that drifts. */
  readonly drift?: Readonly<Record<string, number>>;
  /** Labels on this many of each target's own draws. */
  readonly ownLabels?: number;
  /** Sampling temperature; log probabilities are those of temperature 1. */
  readonly temperature?: number;
}

export const DEFAULT_WORLD: WorldSettings = {
  prompts: 1000,
  labelled: 0.25,
  base: 0.3,
  targets: { pi_clone: 0.3, pi_cot: 0.7, pi_bigger_model: 0.85, pi_bad: -1.3 },
  kappa: 0.1,
};

const LEVELS = [0, 1, 2, 3];
const DIFFICULTIES = [0, 1, 2, 3, 4];
const SENTENCES = [6, 7, 8, 9, 10];

/** The oracle's mean label at quality s: a bent monotone curve from 0.1 to 0.9. */
export function oracleMean(s: number): number {
  return 0.1 + 0.8 * (0.35 * s + 0.65 * s * s * (3 - 2 * s));
}

function levelProbabilities(theta: number, difficulty: number, temperature: number): number[] {
  const weights = LEVELS.map((l) => Math.exp(((theta - 0.12 * difficulty) * (l - 1.5)) / temperature));
  const total = weights.reduce((s, w) => s + w, 0);
  return weights.map((w) => w / total);
}

/** Exact value of a policy: the oracle's mean over the prompt law and the convolution of levels. */
export function trueValue(theta: number, temperature = 1): number {
  let value = 0;
  for (const difficulty of DIFFICULTIES) {
    const p = levelProbabilities(theta, difficulty, temperature);
    for (const sentences of SENTENCES) {
      let law = [1];
      for (let i = 0; i < sentences; i++) {
        const next = new Array<number>(law.length + 3).fill(0);
        law.forEach((mass, at) => {
          for (const l of LEVELS) next[at + l]! += mass * p[l]!;
        });
        law = next;
      }
      const mean = law.reduce((s, mass, at) => s + mass * oracleMean(at / (3 * sentences)), 0);
      value += mean / (DIFFICULTIES.length * SENTENCES.length);
    }
  }
  return value;
}

interface Response {
  readonly quality: number;
  readonly counts: readonly number[];
}

/** One data set of the world; a pure function of settings and seed. */
export function simulate(settings: WorldSettings, seed: number): EvaluationData {
  const random = randomSource(seed, 0);
  const temperature = settings.temperature ?? 1;
  const n = settings.prompts;
  const prompts = Array.from({ length: n }, (_, i) => ({
    id: `prompt-${i}`,
    difficulty: DIFFICULTIES[Math.floor(random.uniform() * DIFFICULTIES.length)]!,
    sentences: SENTENCES[Math.floor(random.uniform() * SENTENCES.length)]!,
  }));
  const respond = (theta: number, difficulty: number, sentences: number): Response => {
    const p = levelProbabilities(theta, difficulty, temperature);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < sentences; i++) {
      let u = random.uniform();
      let level = 0;
      while (level < 3 && u >= p[level]!) u -= p[level++]!;
      counts[level]!++;
    }
    return { counts, quality: (counts[1]! + 2 * counts[2]! + 3 * counts[3]!) / (3 * sentences) };
  };
  const logprob = (theta: number, difficulty: number, r: Response): number => {
    const p = levelProbabilities(theta, difficulty, 1);
    return r.counts.reduce((s, count, l) => s + count * Math.log(p[l]! / 8), 0);
  };
  const judge = (quality: number, drift: number) =>
    Math.min(Math.max(Math.round(1000 * (quality ** (1 + settings.kappa) + drift)) / 1000, 0), 1);
  const label = (quality: number) => oracleMean(quality) + 0.2 * (random.uniform() - 0.5);

  const logged = prompts.map((x) => respond(settings.base, x.difficulty, x.sentences));
  const chosen = choose(n, Math.round(n * settings.labelled), random.uniform);
  const draws = new Map<string, FreshDraws>();
  for (const [policy, theta] of Object.entries(settings.targets)) {
    const own = prompts.map((x) => respond(theta, x.difficulty, x.sentences));
    const labelled = choose(n, settings.ownLabels ?? 0, random.uniform);
    draws.set(policy, {
      promptIds: prompts.map((x) => x.id),
      drawIndexes: new Int32Array(n),
      judgeScores: Float64Array.from(own, (r) => judge(r.quality, settings.drift?.[policy] ?? 0)),
      judgeVariances: new Float64Array(n),
      oracleLabels: Float64Array.from(own, (r, i) => (labelled.has(i) ? label(r.quality) : Number.NaN)),
      responseLengths: Float64Array.from(prompts, (x) => 8 * x.sentences),
    });
  }
  return {
    logged: {
      promptIds: prompts.map((x) => x.id),
      judgeScores: Float64Array.from(logged, (r) => judge(r.quality, 0)),
      judgeVariances: new Float64Array(n),
      oracleLabels: Float64Array.from(logged, (r, i) => (chosen.has(i) ? label(r.quality) : Number.NaN)),
      baseLogprobs: Float64Array.from(logged, (r, i) => logprob(settings.base, prompts[i]!.difficulty, r)),
      responseLengths: Float64Array.from(prompts, (x) => 8 * x.sentences),
      targetLogprobs: new Map(
        Object.entries(settings.targets).map(([policy, theta]) => [
          policy,
          Float64Array.from(logged, (r, i) => logprob(theta, prompts[i]!.difficulty, r)),
        ]),
      ),
    },
    policies: Object.keys(settings.targets),
    freshDraws: draws,
  };
}

/** k of 0..n−1 without replacement. */
export function choose(n: number, k: number, uniform: () => number): Set<number> {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < k; i++) {
    const j = i + Math.floor(uniform() * (n - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return new Set(order.slice(0, k));
}
