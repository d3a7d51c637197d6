/**
 * Log probabilities of a token under the law it was sampled by, from those at temperature 1 and the likeliest tokens of its
 * place. Servers tell values at temperature 1 whatever temperature sampled; what they leave out is bounded here.
 */

/** How a policy samples. */
export interface SamplingLaw {
  readonly temperature: number;
  readonly topP: number;
}

/** A number that lies within [lower, upper], nats. */
interface Interval {
  readonly lower: number;
  readonly upper: number;
}

type AsSampled =
  | ({ readonly status: 'ok' } & Interval)
  /** The reply tells too little of the place for any bound. */
  | { readonly status: 'no_alternatives' }
  /** The policy never samples this token there. */
  | { readonly status: 'outside_nucleus' };

/** Whether values at temperature 1 are those of the law itself. */
export const isPlain = ({ temperature, topP }: SamplingLaw): boolean => temperature === 1 && topP === 1;

/**
 * Laws that can be recovered: above temperature 1 the unseen tokens weigh more than they are likely, and with both settings
 * servers differ in which comes first.
 */
export const isRecoverable = ({ temperature, topP }: SamplingLaw): boolean =>
  (topP === 1 && temperature > 0 && temperature <= 1) || (temperature === 1 && topP < 1);

/** By how much a sum of probabilities may be off by rounding. */
const ROUNDING = 1e-6;

/**
 * @param logprob of the token, at temperature 1
 * @param likeliest values of the `asked` likeliest tokens of its place, or of some of them; the token itself may be added
 */
function logprobAsSampled(
  logprob: number,
  likeliest: readonly number[] | null | undefined,
  asked: number,
  law: SamplingLaw,
): AsSampled {
  if (likeliest === null || likeliest === undefined || likeliest.length === 0) return { status: 'no_alternatives' };
  const order = [...likeliest].sort((a, b) => b - a);
  return law.topP < 1
    ? withinNucleus(logprob, order, asked, law.topP)
    : tempered(logprob, order, asked, law.temperature);
}

/** Nats by which two values of one token may differ. */
const EQUAL = 1e-6;

/**
 * log p_T = lp/T − log Z, with Z = Σ exp(lp_j/T) over all tokens. With S the sum over those that are told and r the
 * probability that they leave, for T ≤ 1: S ≤ Z ≤ S + r^(1/T). With p_K the least of the likeliest, those that are left are
 * no likelier, so Z ≤ S + r · p_K^(1/T − 1) too; but tokens that look alike fall together in some replies, and where fewer
 * came than were asked for, one that is left may be likelier.
 */
function tempered(logprob: number, order: readonly number[], asked: number, temperature: number): AsSampled {
  const isTold = order.some((value) => Math.abs(value - logprob) <= EQUAL);
  const told = isTold ? order : [...order, logprob];
  const most = Math.max(...told);
  const scaled = told.reduce((sum, value) => sum + Math.exp((value - most) / temperature), 0);
  const left = Math.max(0, 1 + ROUNDING - told.reduce((sum, value) => sum + Math.exp(value), 0));
  const least = areAllTold(logprob, order, asked) ? order[asked - 1]! : Number.POSITIVE_INFINITY;
  const likeliestLeft = Math.min(Math.log(left), least);
  const rest = left * Math.exp((1 / temperature - 1) * likeliestLeft - most / temperature);
  const own = (logprob - most) / temperature;
  const slack = EQUAL / temperature;
  return { status: 'ok', lower: own - Math.log(scaled + rest) - slack, upper: own - Math.log(scaled) + slack };
}

/** Whether none of the likeliest is lost: the token itself, where it is the least that is told, may have been added to them. */
const areAllTold = (logprob: number, order: readonly number[], asked: number): boolean =>
  order.length > asked || (order.length === asked && logprob > order[asked - 1]! + EQUAL);

/** The nucleus is the fewest likeliest tokens that come to `topP`; by rounding it may be one more or one fewer. */
function withinNucleus(logprob: number, order: readonly number[], asked: number, topP: number): AsSampled {
  if (!areAllTold(logprob, order, asked)) return { status: 'no_alternatives' };
  const masses: number[] = [];
  let mass = 0;
  for (const value of order) {
    mass += Math.exp(value);
    masses.push(mass);
  }
  const few = masses.findIndex((sum) => sum >= topP - ROUNDING);
  const many = masses.findIndex((sum) => sum >= topP + ROUNDING);
  if (few === -1 || many === -1) return { status: 'no_alternatives' };
  if (logprob < order[many]!) return { status: 'outside_nucleus' };
  // Whether it is the one at the edge, nobody can tell.
  if (logprob < order[few]!) return { status: 'no_alternatives' };
  return { status: 'ok', lower: logprob - Math.log(masses[many]!), upper: logprob - Math.log(masses[few]!) };
}

/** What a response comes to: the middle of what it can be, and by how much that may be off. */
type SampledSum =
  | { readonly status: 'ok'; readonly logprob: number; readonly bound: number }
  | Exclude<AsSampled, { readonly status: 'ok' }>;

/** Sums over a response's tokens. */
export function sumAsSampled(
  logprobs: readonly number[],
  likeliest: readonly (readonly number[] | null)[] | undefined,
  asked: number,
  law: SamplingLaw,
): SampledSum {
  let [lower, upper] = [0, 0];
  for (const [index, logprob] of logprobs.entries()) {
    const found = logprobAsSampled(logprob, likeliest?.[index], asked, law);
    if (found.status !== 'ok') return found;
    lower += found.lower;
    upper += found.upper;
  }
  return { status: 'ok', logprob: (lower + upper) / 2, bound: (upper - lower) / 2 };
}
