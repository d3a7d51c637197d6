/**
 * Worlds that nothing in src/stats was chosen on: responses with one of five manners, by a law that depends on the prompt,
 * and with lengths, so that log ratios are sums of a finite and a continuous part; prompts of kinds rather than of one
 * effect; labels that are counts, heaps, mixtures and failures. Values are means of 400,000 responses, known to ± 0.0006.
 */

import type { EvaluationData, FreshDraws } from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';
import { columns, type Labelled } from './attacks.ts';
import { beta } from './equations.ts';
import { choose } from './world.ts';

type Random = ReturnType<typeof randomSource>;

/**
 * How a policy leans to the higher manners, on usual prompts and on the few of a rare kind, and how much longer it writes
 * (log words).
 */
interface Leaning {
  readonly usual: number;
  readonly rare: number;
  readonly longer: number;
}

const LEANINGS = {
  p0: { usual: 0, rare: 0, longer: 0 },
  twin: { usual: 0, rare: 0, longer: 0 },
  lift: { usual: 0.25, rare: 0.25, longer: 0.1 },
  swing: { usual: 0.5, rare: 0.5, longer: 0.25 },
  /** As the logging policy, but for prompts of the rare kind. */
  lapse: { usual: 0, rare: -1.2, longer: 0 },
  cure: { usual: 0, rare: 1, longer: 0 },
  slip: { usual: 0.05, rare: -0.7, longer: 0.05 },
  gain: { usual: 0, rare: 0.6, longer: -0.05 },
} as const satisfies Readonly<Record<string, Leaning>>;
export type Policy = keyof typeof LEANINGS;

interface Prompt {
  readonly rare: boolean;
  /** On [0, 1]: what the judge sees of a prompt, and what it misses. */
  readonly seen: number;
  readonly missed: number;
}

interface Answer {
  readonly manner: number;
  readonly logWords: number;
  /** On [0, 1]. */
  readonly worth: number;
}

interface Seen {
  readonly score: number;
  readonly label: number;
}

type Law = (answer: Answer, prompt: Prompt, random: Random, policy: Policy) => Seen;

const clip = (x: number) => Math.min(Math.max(x, 0), 1);
const expit = (x: number) => 1 / (1 + Math.exp(-x));
const judged = ({ worth }: Answer, random: Random) => clip(0.1 + 0.8 * worth + 0.07 * random.normal());

/** Labels that depend on the score alone, so that a calibration carries over whatever the policy. */
const byScore =
  (label: (score: number, random: Random) => number, score: (answer: Answer, random: Random) => number = judged): Law =>
  (answer, _, random) => {
    const s = score(answer, random);
    return { score: s, label: label(s, random) };
  };

function binomial(trials: number, p: number, random: Random): number {
  let hits = 0;
  for (let i = 0; i < trials; i++) if (random.uniform() < p) hits++;
  return hits;
}

const straight = (s: number, random: Random) => clip(0.1 + 0.75 * s + 0.12 * random.normal());

const LAWS = {
  /** Answers of two sorts, good and bad, the good ones likelier with the score: labels have two modes at every score. */
  MIX: byScore((s, random) =>
    clip(random.uniform() < 0.2 + 0.6 * s ** 1.5 ? 0.82 + 0.08 * random.normal() : 0.25 + 0.12 * random.normal()),
  ),
  /**
   * Easy and hard prompts, which the judge scores by different slopes: at equal scores the kinds' labels differ, and so the
   * policies' by a little.
   */
  SLOPES: (answer, { missed }, random) => {
    const easy = missed < 0.6;
    const score = clip((easy ? 0.3 + 0.65 * answer.worth : 0.1 + 0.55 * answer.worth) + 0.05 * random.normal());
    const label = clip((easy ? 0.45 + 0.45 * answer.worth : 0.05 + 0.6 * answer.worth) + 0.08 * random.normal());
    return { score, label };
  },
  /** The votes of four raters who agree on more than chance. */
  VOTES: byScore((s, random) => binomial(4, beta(0.1 + 0.8 * s ** 1.3, 4, random), random) / 4),
  /** A logistic judge with a ceiling that a third of the answers reach. */
  CEILING: byScore(
    (s, random) => (s < 0.8 ? straight(s, random) : 0.62 + 0.38 * Math.sqrt(random.uniform())),
    ({ worth }, random) => Math.min(0.8, expit(5 * (worth - 0.35) + 0.4 * random.normal())),
  ),
  /** Labels that scatter the more the higher the score. */
  FANNED: byScore((s, random) => clip(0.25 + 0.5 * s + (0.01 + 0.3 * s * s) * random.normal())),
  /** A judge whose own noise grows with what it sees: it means less of a high score, and so not the same on every policy. */
  UNSURE: (answer, _, random) => ({
    score: clip(0.1 + 0.8 * answer.worth + (0.02 + 0.25 * answer.worth) * random.normal()),
    label: clip(0.1 + 0.8 * answer.worth + 0.08 * random.normal()),
  }),
  /** A judge that likes long answers, and an oracle that does not. */
  LENGTH: (answer, _, random) => ({
    score: clip(0.15 + 0.65 * answer.worth + 0.12 * answer.logWords + 0.05 * random.normal()),
    label: clip(0.1 + 0.75 * answer.worth + 0.1 * random.normal()),
  }),
  /** Wrong, half right, right. */
  HALVES: byScore((s, random) => {
    const u = random.uniform();
    return u < 0.55 - 0.5 * s ? 0 : u < 0.85 - 0.5 * s ? 0.5 : 1;
  }),
  /** Nothing at all half of the time, and else something. */
  ZEROS: byScore((s, random) => (random.uniform() < 0.7 - 0.5 * s ? 0 : beta(0.3 + 0.5 * s, 6, random))),
  /** What a prompt is worth beyond what the judge sees of it; rows of one prompt share it. */
  CROWDS: (answer, { missed }, random) => {
    const score = judged(answer, random);
    return { score, label: clip(0.05 + 0.6 * score + 0.3 * missed + 0.08 * random.normal()) };
  },
  STRAIGHT: byScore(straight),
  /** A stair of three steps, and labels that miss it by one now and then. */
  STAIRS: byScore((s, random) => {
    const step = s < 0.35 ? 1 : s < 0.6 ? 2 : 3;
    const u = random.uniform();
    return clip((step + (u < 0.15 ? -1 : u > 0.85 ? 1 : 0)) / 4);
  }),
  /** Hardly any rise up to the middle, and then a steep one; a waiting time is taken off. */
  LATE: byScore((s, random) => clip(0.35 + 0.6 * expit(12 * (s - 0.6)) - 0.12 * random.exponential())),
  /** Nearly all labels at the upper end. */
  TOP: byScore((s, random) => clip(1 - (0.22 - 0.18 * s) * random.exponential())),
  /** Grades from one to five, nearly all of them fours. */
  FOURS: byScore(
    (s, random) => Math.round(4 * clip(0.3 + 0.5 * s + 0.2 * random.normal())) / 4,
    ({ worth }, random) => {
      const seen = worth + 0.12 * random.normal();
      return seen < 0.15 ? 0.25 : seen < 0.28 ? 0.5 : seen < 0.75 ? 0.75 : 1;
    },
  ),
  /** Alike and good; one answer in twelve of one policy fails, and the judge sees it half of the time. */
  FAILS: (answer, _, random, policy) => {
    const fails = random.uniform() < (policy === 'swing' ? 1 / 12 : 1 / 60);
    const sees = fails && random.uniform() < 0.5;
    const score = sees ? 0.1 + 0.2 * random.uniform() : judged(answer, random);
    return { score, label: fails ? 0.1 * random.uniform() : clip(0.72 + 0.15 * score + 0.04 * random.normal()) };
  },
} as const satisfies Readonly<Record<string, Law>>;

export interface HeldOutSettings {
  readonly heldOut: keyof typeof LAWS;
  readonly policies: readonly Policy[];
  readonly prompts: number;
  /** Labelled rows of the log, and labelled draws of each policy. */
  readonly labels: number;
  readonly ownLabels: number;
  /** Rows under one prompt id: one; a fixed number, as turns of a conversation; or a number with a long tail. */
  readonly crowd: number | 'uneven';
  /** Share of the prompts that are of the rare kind. */
  readonly rareKind: number;
  /** At random, or with known probabilities that rise from low scores to high ones by a factor of about twenty. */
  readonly labelling: 'random' | 'by-chance';
}

const PLAIN: HeldOutSettings = {
  heldOut: 'STRAIGHT',
  policies: ['twin', 'lift', 'swing'],
  prompts: 400,
  labels: 60,
  ownLabels: 0,
  crowd: 1,
  rareKind: 0,
  labelling: 'random',
};

/** By name; a study may change what it likes. */
export const HELD_OUT: Readonly<Record<string, HeldOutSettings>> = {
  STRAIGHT: PLAIN,
  MIX: { ...PLAIN, heldOut: 'MIX' },
  SLOPES: { ...PLAIN, heldOut: 'SLOPES' },
  VOTES: { ...PLAIN, heldOut: 'VOTES' },
  CEILING: { ...PLAIN, heldOut: 'CEILING' },
  FANNED: { ...PLAIN, heldOut: 'FANNED' },
  UNSURE: { ...PLAIN, heldOut: 'UNSURE' },
  LENGTH: { ...PLAIN, heldOut: 'LENGTH' },
  HALVES: { ...PLAIN, heldOut: 'HALVES' },
  ZEROS: { ...PLAIN, heldOut: 'ZEROS' },
  TOP: { ...PLAIN, heldOut: 'TOP' },
  FOURS: { ...PLAIN, heldOut: 'FOURS' },
  FAILS: { ...PLAIN, heldOut: 'FAILS' },
  CROWDS: { ...PLAIN, heldOut: 'CROWDS', crowd: 'uneven' },
  TURNS: { ...PLAIN, heldOut: 'CROWDS', crowd: 6 },
  'RARE-KIND': { ...PLAIN, rareKind: 0.06, policies: ['twin', 'lapse', 'cure'] },
  'RARE-STAIRS': { ...PLAIN, heldOut: 'STAIRS', rareKind: 0.12, policies: ['twin', 'slip', 'gain'] },
  'RARE-LATE': { ...PLAIN, heldOut: 'LATE', rareKind: 0.15, policies: ['slip', 'cure', 'gain'] },
  'BY-CHANCE': { ...PLAIN, labelling: 'by-chance' },
};

const MANNERS = [0, 1, 2, 3, 4];
const SPREAD = 0.5;

function promptOf({ rareKind }: HeldOutSettings, random: Random): Prompt {
  return { rare: random.uniform() < rareKind, seen: random.uniform(), missed: random.uniform() };
}

/** Higher manners are rarer where a prompt is hard. */
function mannersOf(policy: Policy, { rare, seen }: Prompt): readonly number[] {
  const lean = LEANINGS[policy][rare ? 'rare' : 'usual'] + 0.6 * (seen - 0.5);
  const weights = MANNERS.map((m) => Math.exp(lean * (m - 2) - 0.15 * (m - 2) ** 2));
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => w / total);
}

function answerOf(policy: Policy, prompt: Prompt, random: Random): Answer {
  const chances = mannersOf(policy, prompt);
  let [manner, u] = [0, random.uniform()];
  while (manner < 4 && u >= chances[manner]!) u -= chances[manner++]!;
  const logWords = LEANINGS[policy].longer + SPREAD * random.normal();
  const worth = clip(0.12 + 0.17 * manner + 0.15 * (prompt.seen - 0.5) + 0.06 * random.normal());
  return { manner, logWords, worth };
}

const logprob = (policy: Policy, prompt: Prompt, { manner, logWords }: Answer): number =>
  -90 + Math.log(mannersOf(policy, prompt)[manner]!) - 0.5 * ((logWords - LEANINGS[policy].longer) / SPREAD) ** 2;

const RESPONSES = 400_000;
const values = new Map<string, number>();

/** The mean label of a policy's responses. Prompts count by their rows, whose number has nothing to do with what they are. */
export function heldOutValue(settings: HeldOutSettings, policy: string): number {
  const key = `${settings.heldOut} ${settings.rareKind} ${policy}`;
  let value = values.get(key);
  if (value === undefined) {
    const random = randomSource(0, 17);
    const law: Law = LAWS[settings.heldOut];
    let total = 0;
    for (let i = 0; i < RESPONSES; i++) {
      const prompt = promptOf(settings, random);
      total += law(answerOf(policy as Policy, prompt, random), prompt, random, policy as Policy).label;
    }
    value = total / RESPONSES;
    values.set(key, value);
  }
  return value;
}

/** How many rows each prompt has; in all about as many as `prompts`. */
function crowds({ prompts, crowd }: HeldOutSettings, random: Random): number[] {
  const sizes: number[] = [];
  for (let rows = 0; rows < prompts; rows += sizes.at(-1)!) {
    sizes.push(crowd === 'uneven' ? Math.min(25, Math.ceil(1 / random.uniform() ** 0.8)) : crowd);
  }
  return sizes;
}

/** One data set; a pure function of settings and seed. */
export function simulateHeldOut(settings: HeldOutSettings, seed: number): EvaluationData {
  const random = randomSource(seed, 19);
  const sizes = crowds(settings, random);
  const prompts = sizes.map(() => promptOf(settings, random));
  const law: Law = LAWS[settings.heldOut];
  const answers = (policy: Policy) =>
    sizes.flatMap((size, prompt) =>
      Array.from({ length: size }, () => {
        const of = prompts[prompt]!;
        const answer = answerOf(policy, of, random);
        return { prompt, style: 0, ...answer, ...law(answer, of, random, policy) };
      }),
    );
  const log = answers('p0');
  const labelledLog = labelled(settings, log, settings.labels, random);
  const freshDraws = new Map(
    settings.policies.map((policy): [string, FreshDraws] => {
      const own = answers(policy);
      const draws = columns(own, labelled(settings, own, settings.ownLabels, random), 1);
      return [policy, { ...draws, responseLengths: wordsOf(own) }];
    }),
  );
  const { drawIndexes: _, ...logged } = columns(log, labelledLog, 1);
  const logprobs = (policy: Policy) => Float64Array.from(log, (row) => logprob(policy, prompts[row.prompt]!, row));
  return {
    policies: settings.policies,
    freshDraws,
    logger: 'p0',
    logged: {
      ...logged,
      responseLengths: wordsOf(log),
      baseLogprobs: logprobs('p0'),
      targetLogprobs: new Map(settings.policies.map((policy) => [policy, logprobs(policy)])),
    },
  };
}

const wordsOf = (rows: readonly Answer[]) =>
  Float64Array.from(rows, ({ logWords }) => Math.round(120 * Math.exp(logWords)));

function labelled({ labelling }: HeldOutSettings, rows: readonly Seen[], wanted: number, random: Random): Labelled {
  if (wanted === 0) return { rows: new Set() };
  if (labelling === 'random') return { rows: choose(rows.length, Math.min(wanted, rows.length), random.uniform) };
  const odds = rows.map(({ score }) => Math.exp(3 * (score - 0.5)));
  const mean = odds.reduce((sum, o) => sum + o, 0) / odds.length;
  const propensities = Float64Array.from(odds, (o) => Math.min(1, (wanted / rows.length) * (o / mean)));
  return { rows: new Set(rows.flatMap((_, i) => (random.uniform() < propensities[i]! ? [i] : []))), propensities };
}
