/** Two policies against each other: their scores prompt by prompt, and the difference paired by prompt. */

import { type Agreement, agreementOf } from '../../compare/agreement.ts';
import { differences, type PolicyPair } from './item-order.ts';
import { nameAt } from './items.ts';
import type { Measures } from './measures.ts';

export interface HeadToHead extends PolicyPair {
  readonly scorer: string;
  readonly scorers: readonly string[];
  /** Policies that this judge scored. */
  readonly policies: readonly string[];
  /** Prompts on which both have a score, in the judge's units. */
  readonly points: readonly HeadPoint[];
  /** Prompts on which one of them has none. */
  readonly missing: number;
  readonly aBetter: number;
  readonly bBetter: number;
  readonly tied: number;
  /** Of a over b: before is b, after is a. */
  readonly agreement: Agreement;
}

export interface HeadPoint {
  readonly id: string;
  readonly a: number;
  readonly b: number;
}

export interface HeadQuery {
  readonly a: string | undefined;
  readonly b: string | undefined;
  readonly scorer: string | undefined;
}

/** Undefined where no judge has scored two policies. */
export function headToHead(measures: Measures, query: HeadQuery): HeadToHead | undefined {
  const { ids, scorers } = measures;
  const scorer = scorers.find((name) => name === query.scorer) ?? scorers[0];
  if (scorer === undefined) return undefined;
  const scored = measures.policies.filter(({ scores }) => scores.has(scorer));
  const policies = scored.map(({ policy }) => policy);
  const a = policies.find((policy) => policy === query.a) ?? policies[0];
  const b = policies.find((policy) => policy === query.b && policy !== a) ?? policies.find((policy) => policy !== a);
  if (a === undefined || b === undefined) return undefined;
  const valuesOf = (name: string) => scored.find(({ policy }) => policy === name)!.scores.get(scorer)!.values;
  const [ofA, ofB] = [valuesOf(a), valuesOf(b)];
  const apart = differences(measures, { a, b }, scorer);
  const points: HeadPoint[] = [];
  let [aBetter, bBetter] = [0, 0];
  for (const [index, difference] of apart.entries()) {
    if (Number.isNaN(difference)) continue;
    if (difference > 0) aBetter++;
    if (difference < 0) bBetter++;
    points.push({ id: nameAt(ids, index), a: ofA[index]!, b: ofB[index]! });
  }
  return {
    a,
    b,
    scorer,
    scorers,
    policies,
    points,
    missing: ids.length - points.length,
    aBetter,
    bBetter,
    tied: points.length - aBetter - bBetter,
    agreement: agreementOf(points.map((point) => [point.b, point.a] as const)),
  };
}
