/** The ways to sort prompts so that the ones worth reading come first. */

import type { Measure } from '../../core/kind.ts';
import { type Measures, type PolicyColumns, rewardOf } from './measures.ts';

/** A way to sort items, extremes first. */
export interface ItemOrder {
  readonly key: string;
  readonly label: string;
  /** What the sorted numbers are called; empty for input order. */
  readonly value: string;
  readonly scale: Measure['scale'];
}

interface SortedBy extends ItemOrder {
  /** The number of each prompt; NaN sorts last. */
  readonly values: (measures: Measures, scorer: string | undefined) => Float64Array;
  readonly descending: boolean;
}

const EXTREMES = [
  { prefix: 'low', word: 'Lowest', descending: false },
  { prefix: 'high', word: 'Highest', descending: true },
];

/** Two policies that are compared item by item. */
export interface PolicyPair {
  readonly a: string;
  readonly b: string;
}

export const differenceName = ({ a, b }: PolicyPair): string => `${a} − ${b}`;

export const INPUT_ORDER: ItemOrder = { key: '', label: 'Order of the prompts', value: '', scale: 'unit' };

/** Every order that these measures have numbers for. */
export function ordersOf(measures: Measures, pair: PolicyPair | undefined): readonly SortedBy[] {
  const { policies, logger, scorers } = measures;
  const orders: SortedBy[] = pair === undefined ? [] : pairOrders(pair);
  const base = policies.find(({ policy }) => policy === logger);
  for (const target of policies) {
    if (target.policy === logger || target.logprob === undefined || base?.logprob === undefined) continue;
    orders.push({
      key: `weight:${target.policy}`,
      label: `Largest weight, ${target.policy}`,
      value: 'log ratio',
      scale: 'nats',
      descending: true,
      values: () => logRatios(target, base),
    });
  }
  if (scorers.length > 0 && policies.some(({ label }) => label !== undefined)) {
    const rewarded = scorers.some((scorer) => measures.calibration.has(scorer));
    const value = rewarded ? 'label − reward' : 'label − score';
    orders.push({
      key: 'disagreement',
      label: 'Judge and oracle furthest apart',
      value,
      scale: 'unit',
      descending: true,
      values: (all, scorer) =>
        perPrompt(all, (index) => furthest(all.policies, (one) => residual(all, one, scorer, index))),
    });
  }
  if (scorers.length > 1) {
    orders.push({
      key: 'judges',
      label: 'Judges furthest apart',
      value: 'spread of scores',
      scale: 'unit',
      descending: true,
      values: (all) => perPrompt(all, (index) => furthest(all.policies, (one) => spread(one, index))),
    });
  }
  for (const { policy, scores } of policies) {
    if (scores.size === 0) continue;
    for (const { prefix, word, descending } of EXTREMES) {
      orders.push({
        key: `${prefix}:${policy}`,
        label: `${word} score, ${policy}`,
        value: 'score',
        scale: 'unit',
        descending,
        values: (all, scorer) => {
          const columns = all.policies.find((one) => one.policy === policy)?.scores;
          return columns?.get(scorer ?? '')?.values ?? new Float64Array(all.ids.length).fill(Number.NaN);
        },
      });
    }
  }
  for (const { node, policy, measure, values } of measures.others) {
    for (const { prefix, word, descending } of EXTREMES) {
      orders.push({
        key: `${prefix}:${node.name}:${policy ?? ''}:${measure.column}`,
        label: `${word} ${measure.label}, ${policy ?? node.name}`,
        value: measure.label,
        scale: measure.scale,
        descending,
        values: () => values,
      });
    }
  }
  if (measures.failures.some((count) => count > 0)) {
    orders.push({
      key: 'failures',
      label: 'Most failures',
      value: 'failures',
      scale: 'unit',
      descending: true,
      values: (all) => Float64Array.from(all.failures),
    });
  }
  return orders;
}

/** By the difference of two policies' scores. */
function pairOrders(pair: PolicyPair): SortedBy[] {
  const common = {
    value: differenceName(pair),
    scale: 'unit' as const,
    descending: true,
    values: (all: Measures, scorer: string | undefined) => differences(all, pair, scorer),
  };
  return [
    { ...common, key: 'apart', label: `${pair.a} and ${pair.b} furthest apart` },
    { ...common, key: 'ahead', label: `${pair.a} furthest ahead` },
    { ...common, key: 'behind', label: `${pair.b} furthest ahead`, descending: false },
  ];
}

/** Of each prompt, a's score − b's; NaN where either has none. */
export function differences(
  { ids, policies }: Measures,
  { a, b }: PolicyPair,
  scorer: string | undefined,
): Float64Array {
  const scoresOf = (name: string) => policies.find(({ policy }) => policy === name)?.scores.get(scorer ?? '')?.values;
  const [ofA, ofB] = [scoresOf(a), scoresOf(b)];
  // What floats leave of equal numbers is no difference.
  const exact = (value: number) => Math.round(value * 1e9) / 1e9;
  return Float64Array.from(ids, (_, index) => exact((ofA?.[index] ?? Number.NaN) - (ofB?.[index] ?? Number.NaN)));
}

export function logRatios(target: PolicyColumns, logger: PolicyColumns): Float64Array {
  const [above, below] = [target.logprob!.values, logger.logprob!.values];
  return above.map((value, index) => value - below[index]!);
}

/** Label − reward of the score, or − the score itself where the judge has no calibration. */
function residual(
  { calibration }: Measures,
  { scores, label }: PolicyColumns,
  scorer: string | undefined,
  index: number,
): number {
  const score = scores.get(scorer ?? '')?.values[index] ?? Number.NaN;
  const curve = calibration.get(scorer ?? '');
  return (label?.values[index] ?? Number.NaN) - (curve === undefined ? score : rewardOf(curve, score));
}

function spread({ scores }: PolicyColumns, index: number): number {
  const values = [...scores.values()].map((column) => column.values[index]!).filter((value) => !Number.isNaN(value));
  return values.length < 2 ? Number.NaN : Math.max(...values) - Math.min(...values);
}

function perPrompt({ ids }: Measures, value: (index: number) => number): Float64Array {
  return Float64Array.from(ids, (_, index) => value(index));
}

/** The number of largest size; NaN where there is none. */
function furthest(policies: readonly PolicyColumns[], value: (policy: PolicyColumns) => number): number {
  let best = Number.NaN;
  for (const policy of policies) {
    const candidate = value(policy);
    if (!Number.isNaN(candidate) && !(Math.abs(candidate) <= Math.abs(best))) best = candidate;
  }
  return best;
}

/** Prompts sorted by the order; by size where numbers have a sign that does not matter. Equal ones keep their order. */
export function sortBy(order: SortedBy, values: Float64Array, indices: readonly number[]): number[] {
  const signless = order.key === 'disagreement' || order.key === 'apart';
  const rank = (index: number) => (signless ? Math.abs(values[index]!) : values[index]!);
  return [...indices].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    return order.descending ? right - left : left - right;
  });
}
