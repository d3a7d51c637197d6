/**
 * Worlds that try what people bring: prompts of heavy-tailed difficulty, several rows and draws a prompt, answers that are
 * missing, two-valued and rare labels, judges that saturate, scatter unequally, drift or say nothing, log ratios with long tails,
 * experiments without a log, a calibration set of other prompts. Equations of other kinds than those of `equations.ts`; values are
 * means of a million responses, known to ± 0.0003.
 */

import type { EvaluationData, FreshDraws, LoggedRows } from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';
import { normalCdf } from '../../src/stats/numeric/special-functions.ts';
import { choose } from './world.ts';

type Random = ReturnType<typeof randomSource>;

/** Style of each policy's responses: a normal law, so that log ratios are exact. */
const STYLES = {
  p0: [0, 1],
  same: [0, 1],
  near: [0.04, 1],
  up: [0.4, 1],
  down: [-0.45, 1],
  away: [0.9, 0.9],
  /** Log ratios with long tails: the weights' fourth moment is infinite, and then their variance. */
  wide: [0.2, 1.25],
  wider: [0.2, 1.6],
  /** Of an experiment of many. */
  m1: [0.1, 1],
  m2: [0.2, 1],
  m3: [0.3, 1],
  m4: [-0.1, 1],
  m5: [-0.2, 1],
  m6: [-0.3, 1],
  m7: [0.5, 0.95],
} as const satisfies Readonly<Record<string, readonly [mean: number, spread: number]>>;
export type Style = keyof typeof STYLES;

/** The policy whose judge drifts, where one does. */
const DRIFTING: Style = 'up';

interface Seen {
  readonly score: number;
  readonly label: number;
}

/** What a response's quality θ = 0.3 + 0.7 z + 0.6 q is to judge and oracle. */
type Law = (quality: number, random: Random, policy: Style, style: number) => Seen;

const clip = (x: number) => Math.min(Math.max(x, 0), 1);
const chance = (p: number, random: Random) => (random.uniform() < p ? 1 : 0);
const judged = (quality: number, random: Random, scatter = 0.25) =>
  normalCdf(0.8 * quality + scatter * random.normal());

const POSITION = 0.35;
/** The mean of both orders of a comparison with a reference of quality 0.3. */
function preferred(quality: number, random: Random): number {
  const once = (first: number) => {
    const seen = quality - 0.3 + first + 0.6 * random.normal();
    return Math.abs(seen) < 0.15 ? 0.5 : seen > 0 ? 1 : 0;
  };
  return (once(POSITION) + once(-POSITION)) / 2;
}

/** Labels that depend on the score alone, so that a calibration carries over. */
const surrogate =
  (score: (quality: number, random: Random) => number, label: (score: number, random: Random) => number): Law =>
  (quality, random) => {
    const s = score(quality, random);
    return { score: s, label: label(s, random) };
  };

/** Labels of the drifting policy are lower than those of the others at equal scores. */
const kinderBy =
  (kinder: (score: number) => number): Law =>
  (quality, random, policy) => {
    const s = judged(quality, random);
    const label = 0.2 + 0.6 * s ** 1.5 + 0.3 * (random.uniform() - 0.5) - (policy === DRIFTING ? kinder(s) : 0);
    return { score: s, label: clip(label) };
  };

const LAWS = {
  /** A straight judge and labels with wide uniform scatter. */
  UNIFORM: surrogate(judged, (s, random) => clip(0.15 + 0.7 * s ** 2 + 0.5 * (random.uniform() - 0.5))),
  /** Scatter that is nothing at the ends and wide in between. */
  UNEQUAL: surrogate(judged, (s, random) => clip(0.2 + 0.6 * s + 1.2 * s * (1 - s) * random.normal())),
  /** Right or wrong, about as often, judged by whole points from 0 to 10. */
  HALF: surrogate(
    (q, random) => Math.round(10 * judged(q, random)) / 10,
    (s, random) => chance(0.1 + 0.75 * s, random),
  ),
  /** A failure in fifty. */
  FIFTIETH: surrogate(judged, (s, random) => chance(0.004 + 0.05 * (1 - s) ** 2, random)),
  /** Harmless but for a few: labels all but equal, and one in thirty far from them. */
  OUTLIERS: surrogate(judged, (s, random) =>
    random.uniform() < 0.01 + 0.07 * (1 - s) ** 2 ? 0.5 + 0.5 * random.uniform() : 0.03 * random.uniform(),
  ),
  /** Labels with a long tail and no two alike. */
  SKEWED: surrogate(judged, (s, random) => Math.min(1, Math.exp(-3.2 + 1.2 * s + 0.9 * random.normal()))),
  /** Long tails of other kinds: waiting times, squares of what is normal, and labels near one with a tail below. */
  WAITING: surrogate(judged, (s, random) => Math.min(1, -(0.05 + 0.12 * s) * Math.log(random.uniform()))),
  SQUARES: surrogate(judged, (s, random) => Math.min(1, (0.06 + 0.16 * s) * random.normal() ** 2)),
  FAILURES: surrogate(judged, (s, random) => Math.max(0, 1 - Math.exp(-2.2 - 1.2 * s + 0.9 * random.normal()))),
  /** Content, and a breakdown in fifteen. */
  BREAKDOWNS: surrogate(judged, (s, random) =>
    random.uniform() < 0.02 + 0.1 * (1 - s) ? 0.1 * random.uniform() : 0.7 + 0.15 * s + 0.1 * random.uniform(),
  ),
  /** A judge of three words. */
  THREE: surrogate(
    (q, random) => Math.round(2 * judged(q, random, 0.5)) / 2,
    (s, random) => clip(0.2 + 0.55 * s + 0.4 * (random.uniform() - 0.5)),
  ),
  /** Everybody is content. */
  CONTENT: surrogate(judged, () => 0.8),
  /** Everybody is content with one policy, and with the others as usual. */
  'CONTENT-ONE': (quality, random, policy) => {
    const s = judged(quality, random);
    return { score: s, label: policy === DRIFTING ? 0.8 : clip(0.15 + 0.7 * s ** 2 + 0.5 * (random.uniform() - 0.5)) };
  },
  /** Labels at either end of the scale, and a few in between. */
  ENDS: surrogate(judged, (s, random) => (random.uniform() < 0.9 ? chance(0.1 + 0.8 * s, random) : random.uniform())),
  /** A judge that gives nine answers of ten the same score. */
  TIED: surrogate(
    (q, random) => (judged(q, random) > 0.9 ? 1 : judged(q, random) < 0.08 ? 0 : 0.7),
    (s, random) => clip(0.1 + 0.6 * s + 0.5 * (random.uniform() - 0.5)),
  ),
  /** A judge that likes the style itself more than it is worth: longer answers, say, score higher than they are good. */
  LONGER: (quality, random, _, style) => ({
    score: clip(judged(quality, random) + 0.08 * style),
    label: clip(normalCdf(quality - 0.2 * style) + 0.1 * random.normal()),
  }),
  /** One to five stars by both. */
  STARS: surrogate(
    (q, random) => Math.round(4 * judged(q, random, 0.4)) / 4,
    (s, random) => Math.round(4 * clip(0.15 + 0.7 * s + 0.22 * random.normal())) / 4,
  ),
  /** Half of the scores are the highest one. */
  SATURATED: surrogate(
    (q, random) => Math.min(judged(q, random), 0.6) / 0.6,
    (s, random) => (s < 1 ? clip(0.1 + 0.5 * s + 0.1 * random.normal()) : 1 - 0.6 * random.uniform() ** 2),
  ),
  /** A judge that prefers the middle: what it scores high is not what is good. */
  BENT: surrogate(judged, (s, random) => clip(0.15 + 2.4 * s * (1 - s) + 0.1 * random.normal())),
  /** A judge that says nothing: labels follow the quality, scores do not. */
  DEAF: (quality, random) => ({ score: random.uniform(), label: clip(normalCdf(quality) + 0.1 * random.normal()) }),
  /** A judge that sees the quality through noise, so that what a score means depends on the policy. */
  BLURRED: (quality, random) => ({
    score: judged(quality, random, 0.6),
    label: clip(normalCdf(quality) + 0.1 * random.normal()),
  }),
  /** A judge that is kinder to one policy. */
  DRIFT: (quality, random, policy) => {
    const s = judged(quality, random);
    const label = clip(0.15 + 0.7 * s ** 2 + 0.3 * (random.uniform() - 0.5));
    return { score: policy === DRIFTING ? clip(s + 0.15) : s, label };
  },
  /** Judges that err on one policy a little: by as much everywhere, by more the higher they score, by their slope, at the upper end alone, and on right or wrong. */
  KINDER: kinderBy(() => 0.03),
  'KINDER-HIGH': kinderBy((s) => 0.06 * s),
  STEEPER: kinderBy((s) => 0.2 * (s - 0.45)),
  'KINDER-END': kinderBy((s) => (s > 0.7 ? 0.08 : 0)),
  'KINDER-HALF': (quality, random, policy) => {
    const s = judged(quality, random);
    return { score: s, label: chance(0.12 + 0.75 * s - (policy === DRIFTING ? 0.06 : 0), random) };
  },
  /** Preferred to a reference or not, asked in both orders by a judge that adds to whoever stands first; labels by the mean of both. */
  PREFERENCE: surrogate(preferred, (s, random) => (random.uniform() < 0.1 ? 0.5 : chance(0.15 + 0.7 * s, random))),
  /** The same judge; labels by who is better, so that what a score means depends on the policy. */
  DUEL: (quality, random) => {
    const better = quality - 0.3 + 0.4 * random.normal();
    return { score: preferred(quality, random), label: Math.abs(better) < 0.1 ? 0.5 : better > 0 ? 1 : 0 };
  },
} as const satisfies Readonly<Record<string, Law>>;

/** Laws of preferences, ½ a tie: a calibration takes each label both ways. */
export const isPreference = ({ law }: AttackSettings): boolean => law === 'PREFERENCE' || law === 'DUEL';

export interface AttackSettings {
  readonly law: keyof typeof LAWS;
  readonly policies: readonly Style[];
  readonly prompts: number;
  /** What is shared by the responses to a prompt: standard normal, or Student's with 3 degrees of freedom. */
  readonly effects: 'normal' | 'heavy';
  /** Rows of the log a prompt; 0 for an experiment without a log. */
  readonly rows: number;
  /** Draws of each policy a prompt; 0 for none. */
  readonly draws: number;
  /** Labelled rows of the log, labelled draws of each policy, and labelled responses of a set of other prompts. */
  readonly labels: number;
  readonly ownLabels: number;
  readonly set: number;
  /** Who is labelled: at random, or more often where the score, the label or the prompt's effect is low. */
  readonly labelling: 'random' | 'by-score' | 'by-label' | 'by-prompt';
  /** Whether the probabilities of `by-score` stand in the data. */
  readonly declared: boolean;
  /** The least and the greatest share of its prompts that a policy has draws for, evenly from the first to the last; 1 and 1 for all. */
  readonly answered?: readonly [number, number];
  /** Prompts that share an effect, as turns of a conversation do; absent for none. */
  readonly conversation?: number;
  /** Whether rows of a conversation stand under its one id, rather than each under its own. */
  readonly grouped?: boolean;
  /** Share of draws that are missing, and of whom: of any, or of those that would be labelled low. */
  readonly missing: { readonly share: number; readonly of: 'any' | 'low' };
  /** The same of the log probabilities. */
  readonly unforced: { readonly share: number; readonly of: 'any' | 'low' };
}

const NOTHING = { share: 0, of: 'any' } as const;
const PLAIN: AttackSettings = {
  law: 'UNIFORM',
  policies: ['same', 'up', 'away'],
  prompts: 400,
  effects: 'normal',
  rows: 1,
  draws: 1,
  labels: 100,
  ownLabels: 0,
  set: 0,
  labelling: 'random',
  declared: false,
  missing: NOTHING,
  unforced: NOTHING,
};
const NO_LOG: AttackSettings = { ...PLAIN, rows: 0, labels: 0, ownLabels: 50 };

/** By name; a study may change what it likes. */
export const ATTACKS: Readonly<Record<string, AttackSettings>> = {
  PLAIN,
  HEAVY: { ...PLAIN, effects: 'heavy', prompts: 120, rows: 4, draws: 3, labels: 150 },
  'HEAVY-ONE': { ...PLAIN, effects: 'heavy', law: 'UNEQUAL' },
  UNEQUAL: { ...PLAIN, law: 'UNEQUAL' },
  HALF: { ...PLAIN, law: 'HALF' },
  FIFTIETH: { ...PLAIN, law: 'FIFTIETH', prompts: 800 },
  'FIFTIETH-300': { ...PLAIN, law: 'FIFTIETH', prompts: 800, labels: 300 },
  STARS: { ...PLAIN, law: 'STARS' },
  SATURATED: { ...PLAIN, law: 'SATURATED' },
  BENT: { ...PLAIN, law: 'BENT' },
  OUTLIERS: { ...PLAIN, law: 'OUTLIERS', ownLabels: 60 },
  SKEWED: { ...PLAIN, law: 'SKEWED', labels: 60, ownLabels: 30 },
  WAITING: { ...PLAIN, law: 'WAITING', labels: 60, ownLabels: 30 },
  SQUARES: { ...PLAIN, law: 'SQUARES', labels: 60, ownLabels: 30 },
  FAILURES: { ...PLAIN, law: 'FAILURES', labels: 60, ownLabels: 30 },
  BREAKDOWNS: { ...PLAIN, law: 'BREAKDOWNS', labels: 60, ownLabels: 30 },
  THREE: { ...PLAIN, law: 'THREE', ownLabels: 30 },
  'THREE-20': { ...PLAIN, law: 'THREE', labels: 20 },
  CONTENT: { ...PLAIN, law: 'CONTENT', ownLabels: 30 },
  'LABELS-20': { ...PLAIN, labels: 20 },
  'LABELS-40': { ...PLAIN, labels: 40, law: 'UNEQUAL' },
  'LABELS-60': { ...PLAIN, labels: 60, law: 'HALF' },
  'HALF-20': { ...PLAIN, labels: 20, law: 'HALF' },
  'STARS-20': { ...PLAIN, labels: 20, law: 'STARS' },
  'ALL-LABELLED': { ...PLAIN, labels: 400, law: 'HALF' },
  'OWN-20': { ...PLAIN, ownLabels: 20 },
  'OWN-40-HALF': { ...PLAIN, ownLabels: 40, law: 'HALF' },
  'OWN-60-DEAF': { ...PLAIN, ownLabels: 60, law: 'DEAF' },
  'OWN-60-DRIFT': { ...PLAIN, ownLabels: 60, law: 'DRIFT' },
  'OWN-20-FIFTIETH': { ...PLAIN, ownLabels: 20, law: 'FIFTIETH' },
  BLURRED: { ...PLAIN, law: 'BLURRED' },
  DRIFT: { ...PLAIN, law: 'DRIFT' },
  DEAF: { ...PLAIN, law: 'DEAF' },
  'MISSING-3': { ...PLAIN, missing: { share: 0.03, of: 'any' } },
  'MISSING-LOW': { ...PLAIN, missing: { share: 0.04, of: 'low' } },
  'MISSING-LOW-20': { ...PLAIN, missing: { share: 0.2, of: 'low' } },
  'UNFORCED-4': { ...PLAIN, unforced: { share: 0.04, of: 'any' } },
  'UNFORCED-LOW': { ...PLAIN, unforced: { share: 0.3, of: 'low' } },
  'BY-SCORE': { ...PLAIN, labelling: 'by-score', declared: true, ownLabels: 80 },
  'BY-SCORE-HALF': { ...PLAIN, law: 'HALF', labelling: 'by-score', declared: true, ownLabels: 80 },
  'BY-SCORE-UNSAID': { ...PLAIN, labelling: 'by-score', ownLabels: 80 },
  'BY-LABEL': { ...PLAIN, labelling: 'by-label', ownLabels: 80 },
  'BY-PROMPT': { ...PLAIN, labelling: 'by-prompt' },
  WIDE: { ...PLAIN, policies: ['wide', 'wider'] },
  NEAR: { ...PLAIN, policies: ['same', 'near'] },
  'NEAR-HALF': { ...PLAIN, law: 'HALF', policies: ['same', 'near'] },
  REPEATS: { ...PLAIN, prompts: 60, rows: 6, draws: 5, labels: 120 },
  'REPEATS-FEW': { ...PLAIN, prompts: 30, rows: 3, draws: 10, labels: 45, law: 'UNEQUAL' },
  'DRAWS-4': { ...PLAIN, prompts: 150, draws: 4, labels: 75, ownLabels: 40 },
  'LOG-ONLY': { ...PLAIN, draws: 0 },
  SET: { ...PLAIN, labels: 30, set: 80 },
  'SET-HALF': { ...PLAIN, law: 'HALF', labels: 30, set: 80 },
  PREFERENCE: { ...PLAIN, law: 'PREFERENCE', labels: 120 },
  'PREFERENCE-30': { ...PLAIN, law: 'PREFERENCE', labels: 30 },
  'PREFERENCE-OWN': { ...PLAIN, law: 'PREFERENCE', labels: 60, ownLabels: 40, prompts: 150, draws: 3 },
  DUEL: { ...PLAIN, law: 'DUEL', ownLabels: 60 },
  KINDER: { ...PLAIN, law: 'KINDER', ownLabels: 100 },
  'KINDER-HIGH': { ...PLAIN, law: 'KINDER-HIGH', ownLabels: 100 },
  STEEPER: { ...PLAIN, law: 'STEEPER', ownLabels: 100 },
  'KINDER-END': { ...PLAIN, law: 'KINDER-END', ownLabels: 100 },
  'KINDER-HALF': { ...PLAIN, law: 'KINDER-HALF', ownLabels: 100 },
  'NO-LOG-KINDER': { ...NO_LOG, law: 'KINDER', ownLabels: 100 },
  'NO-LOG-PREFERENCE': { ...NO_LOG, law: 'PREFERENCE', policies: ['same', 'up'] },
  'NO-LOG-2': { ...NO_LOG, policies: ['same', 'up'] },
  'NO-LOG-3-20': { ...NO_LOG, ownLabels: 20 },
  'NO-LOG-5': { ...NO_LOG, policies: ['same', 'near', 'up', 'down', 'away'], ownLabels: 30 },
  'NO-LOG-HALF': { ...NO_LOG, law: 'HALF', ownLabels: 40 },
  'NO-LOG-FIFTIETH': { ...NO_LOG, law: 'FIFTIETH', ownLabels: 60 },
  'NO-LOG-STARS': { ...NO_LOG, law: 'STARS', ownLabels: 25 },
  'NO-LOG-DRAWS': { ...NO_LOG, prompts: 80, draws: 5, effects: 'heavy', ownLabels: 60 },
  'CONTENT-ONE': { ...PLAIN, law: 'CONTENT-ONE', ownLabels: 30 },
  'NO-LOG-CONTENT-ONE': { ...NO_LOG, law: 'CONTENT-ONE' },
  ENDS: { ...PLAIN, law: 'ENDS', ownLabels: 30 },
  TIED: { ...PLAIN, law: 'TIED', ownLabels: 30 },
  'TIED-20': { ...PLAIN, law: 'TIED', labels: 20 },
  LONGER: { ...PLAIN, law: 'LONGER' },
  'LONGER-OWN': { ...PLAIN, law: 'LONGER', ownLabels: 40 },
  'TWO-10': { ...PLAIN, policies: ['same', 'up'], ownLabels: 10 },
  'TWO-10-HALF': { ...PLAIN, policies: ['same', 'up'], law: 'HALF', ownLabels: 12 },
  TWELVE: {
    ...PLAIN,
    policies: ['same', 'near', 'up', 'down', 'away', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'],
    ownLabels: 15,
  },
  'NO-LOG-12': {
    ...NO_LOG,
    policies: ['same', 'near', 'up', 'down', 'away', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'],
    ownLabels: 15,
  },
  CONVERSATIONS: { ...PLAIN, prompts: 320, conversation: 8, grouped: true, ownLabels: 40 },
  'CONVERSATIONS-UNSAID': { ...PLAIN, prompts: 320, conversation: 8, ownLabels: 40 },
  'NO-LOG-CONVERSATIONS': { ...NO_LOG, prompts: 240, conversation: 6, grouped: true },
  UNEVEN: { ...PLAIN, answered: [1, 0.2], ownLabels: 20 },
  'NO-LOG-UNEVEN': { ...NO_LOG, answered: [1, 0.15], ownLabels: 20 },
  'NO-LOG-MISSING-20': { ...NO_LOG, missing: { share: 0.2, of: 'low' } },
  'NO-LOG-DRIFT': { ...NO_LOG, law: 'DRIFT', ownLabels: 60 },
  'NO-LOG-DEAF': { ...NO_LOG, law: 'DEAF', ownLabels: 40 },
  'NO-LOG-MISSING': { ...NO_LOG, missing: { share: 0.04, of: 'low' } },
};

/** Long-tailed effects have a spread of 1 too. */
function effect({ effects }: AttackSettings, random: Random): number {
  const z = random.normal();
  if (effects === 'normal') return z;
  const squares = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
  return z / Math.sqrt(squares);
}

export interface Response extends Seen {
  readonly style: number;
  readonly prompt: number;
}

function respond(settings: AttackSettings, policy: Style, effect: number, random: Random): Seen & { style: number } {
  const [mean, spread] = STYLES[policy];
  const style = mean + spread * random.normal();
  return { style, ...LAWS[settings.law](0.3 + 0.7 * style + 0.6 * effect, random, policy, style) };
}

const RESPONSES = 1_000_000;
const values = new Map<string, number>();

/** The mean label of a policy's responses. */
export function attackValue(settings: AttackSettings, policy: string): number {
  const key = `${settings.law} ${settings.effects} ${policy}`;
  let value = values.get(key);
  if (value === undefined) {
    const random = randomSource(0, 7);
    let total = 0;
    for (let i = 0; i < RESPONSES; i++) {
      total += respond(settings, policy as Style, effect(settings, random), random).label;
    }
    value = total / RESPONSES;
    values.set(key, value);
  }
  return value;
}

const LEVEL = -80;
const logDensity = (z: number, [mean, spread]: readonly [number, number]) =>
  LEVEL - 0.5 * ((z - mean) / spread) ** 2 - Math.log(spread);

/** One data set; a pure function of settings and seed. */
export function simulateAttack(settings: AttackSettings, seed: number): EvaluationData {
  const { policies, prompts, rows, draws, labels, ownLabels } = settings;
  const random = randomSource(seed, 11);
  const { conversation = 1 } = settings;
  const shared = Array.from({ length: Math.ceil(prompts / conversation) }, () => effect(settings, random));
  const effects = Array.from({ length: prompts }, (_, prompt) => shared[Math.floor(prompt / conversation)]!);
  const answers = (policy: Style, each: number): Response[] =>
    effects.flatMap((of, prompt) =>
      Array.from({ length: each }, () => ({ prompt, ...respond(settings, policy, of, random) })),
    );
  const named = settings.grouped === true ? conversation : 1;
  const log = answers('p0', rows);
  const logLabels = labelled(settings, log, { wanted: labels, effects }, random);
  const freshDraws = new Map<string, FreshDraws>();
  for (const policy of draws === 0 ? [] : policies) {
    const all = answers(policy, draws).filter(({ prompt }) => isAnswered(settings, policy, prompt));
    const own = all.filter((of) => !isMissing(settings.missing, of, random));
    freshDraws.set(policy, columns(own, labelled(settings, own, { wanted: ownLabels, effects }, random), named));
  }
  const set = Array.from({ length: settings.set }, (_, i) => ({
    prompt: prompts + i,
    ...respond(settings, 'p0', effect(settings, random), random),
  }));
  const common = {
    policies,
    freshDraws,
    ...(set.length === 0 ? {} : { calibrationSet: columns(set, { rows: new Set(set.keys()) }, 1) }),
  };
  if (rows === 0) return { ...common, pooled: true, logged: pooledRows(freshDraws, policies) };
  const logprobs = (policy: Style) => Float64Array.from(log, ({ style }) => logDensity(style, STYLES[policy]));
  const forced = log.map((of) => !isMissing(settings.unforced, of, random));
  const { drawIndexes: _, ...logged } = columns(log, logLabels, named);
  return {
    ...common,
    logger: 'p0',
    logged: {
      ...logged,
      baseLogprobs: logprobs('p0'),
      targetLogprobs: new Map(
        policies.map((policy) => [policy, logprobs(policy).map((l, i) => (forced[i]! ? l : Number.NaN))]),
      ),
    },
  };
}

/** As a dataset without a log has it: the draws of all policies, without log probabilities. */
function pooledRows(draws: ReadonlyMap<string, FreshDraws>, policies: readonly string[]): LoggedRows {
  const all = [...draws.values()];
  const joined = (of: (draws: FreshDraws) => Float64Array) => Float64Array.from(all.flatMap((each) => [...of(each)]));
  const promptIds = all.flatMap((of) => of.promptIds);
  const nothing = () => new Float64Array(promptIds.length).fill(Number.NaN);
  return {
    promptIds,
    judgeScores: joined((of) => of.judgeScores),
    judgeVariances: joined((of) => of.judgeVariances),
    oracleLabels: joined((of) => of.oracleLabels),
    ...(all.some((of) => of.labelPropensities !== undefined)
      ? { labelPropensities: joined((of) => of.labelPropensities!) }
      : {}),
    responseLengths: joined((of) => of.responseLengths),
    baseLogprobs: nothing(),
    targetLogprobs: new Map(policies.map((policy) => [policy, nothing()])),
  };
}

export interface Labelled {
  readonly rows: ReadonlySet<number>;
  /** Each row's chance, where it is to stand in the data. */
  readonly propensities?: Float64Array;
}

/** Who is labelled more often than the others, and how much more than on average. */
const FAVOURED: Readonly<Record<'by-score' | 'by-label' | 'by-prompt', (of: Response, effect: number) => number>> = {
  'by-score': ({ score }) => (score < 0.5 ? 1.6 : 0.5),
  'by-label': ({ label }) => (label < 0.4 ? 2 : 0.6),
  'by-prompt': (_, effect) => (effect < 0 ? 1.7 : 0.3),
};

function labelled(
  { labelling, declared }: AttackSettings,
  of: readonly Response[],
  { wanted, effects }: { readonly wanted: number; readonly effects: readonly number[] },
  random: Random,
): Labelled {
  if (wanted === 0) return { rows: new Set() };
  if (labelling === 'random') return { rows: choose(of.length, Math.min(wanted, of.length), random.uniform) };
  const propensities = Float64Array.from(of, (row) =>
    Math.min(1, (wanted / of.length) * FAVOURED[labelling](row, effects[row.prompt]!)),
  );
  const rows = new Set(of.flatMap((_, i) => (random.uniform() < propensities[i]! ? [i] : [])));
  return declared ? { rows, propensities } : { rows };
}

/** Those that would be labelled below one half are missing twice as often, and no other. */
function isMissing({ share, of }: AttackSettings['missing'], { label }: Seen, random: Random): boolean {
  return random.uniform() < (of === 'any' ? share : label < 0.5 ? 2 * share : 0);
}

/** Of the policies in their order the first has draws for one share of the prompts, and the last for the other. */
function isAnswered({ answered, policies, prompts }: AttackSettings, policy: Style, prompt: number): boolean {
  if (answered === undefined) return true;
  const [from, to] = answered;
  const share = from + ((to - from) * policies.indexOf(policy)) / Math.max(policies.length - 1, 1);
  return prompt < share * prompts;
}

/** @param named prompts that stand under one id. */
export function columns(of: readonly Response[], { rows, propensities }: Labelled, named: number): FreshDraws {
  const seen = new Map<number, number>();
  const idOf = ({ prompt }: Response) => Math.floor(prompt / named);
  return {
    promptIds: of.map((each) => `q${idOf(each)}`),
    drawIndexes: Int32Array.from(of, (each) => {
      const index = seen.get(idOf(each)) ?? 0;
      seen.set(idOf(each), index + 1);
      return index;
    }),
    judgeScores: Float64Array.from(of, ({ score }) => score),
    judgeVariances: new Float64Array(of.length),
    oracleLabels: Float64Array.from(of, ({ label }, i) => (rows.has(i) ? label : Number.NaN)),
    ...(propensities === undefined ? {} : { labelPropensities: propensities }),
    responseLengths: Float64Array.from(of, (_, i) => 40 + (i % 7)),
  };
}
