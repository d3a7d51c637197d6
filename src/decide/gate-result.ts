/** What a gate says: at each look, and in the end. */

import { badOption } from '../core/problem.ts';
import type { Scale } from '../datasets/scale.ts';
import { unitsOf } from '../datasets/units.ts';
import { differenceBounds, nonInferiority, pairedDifferences } from '../stats/index.ts';
import type { GatePrompts } from './gate-prompts.ts';
import type { GatedPair, PairNodes } from './pair-graph.ts';

/** What is tested, fixed before anything is looked at. */
export interface GateQuestion extends GatedPair {
  readonly dataset: string;
  readonly on: 'judge' | 'oracle';
  /** Tolerable loss, in the labels' units; on the judge's scale a share of it. */
  readonly margin: number;
  readonly alpha: number;
  /** The judge compares each answer with that of a reference policy: scores are chances to win. */
  readonly pairwise: boolean;
}

type Verdict = 'pass' | 'fail' | 'undecided';

export interface GateLook {
  /** Prompts that the test has read. */
  readonly prompts: number;
  readonly missing: number;
  readonly labels: Readonly<Record<keyof GatedPair, number>>;
  /**
   * Of candidate minus baseline, in the labels' units; its bounds are each at level α, at all looks together. Null without
   * a prompt.
   */
  readonly difference: number | null;
  readonly lower: number;
  readonly upper: number;
  readonly verdict: Verdict;
  /** The prompt that decided; null while it is open. */
  readonly decidedAt: number | null;
}

/** Why no more was bought. */
export type GateEnd = 'decided' | 'no-more-prompts' | 'budget' | 'missing';

export interface GateResult extends GateQuestion {
  readonly scale?: Scale;
  readonly verdict: Verdict;
  readonly end: GateEnd;
  readonly looks: readonly GateLook[];
  readonly bought: number;
  /** Dollars; `unknown` may have been billed too. */
  readonly billed: number;
  readonly unknown: number;
}

/** Prompts that lack something are left out; beyond this share they may be another kind of prompt. */
export const MISSING_AT_MOST = 0.05;

/** @throws ProblemError where no candidate could lose as much */
export function checkMargin(margin: number, scale: Scale | undefined): void {
  const { difference: told, unitDifference } = unitsOf(scale);
  if (unitDifference(margin) < 1) return;
  throw badOption(`--margin is ${margin}, and no loss can be greater than ${told(1)}`);
}

/** The test, read anew from its first prompt: as prompts come in a fixed order, more of them go on where it was. */
export function lookAt(
  question: GateQuestion,
  { prompts, missing, labels, scale }: GatePrompts,
  nodes: Pick<PairNodes, 'labels'>,
): GateLook {
  const { difference: told, unitDifference } = unitsOf(scale);
  const { values, bounds } = pairedDifferences(
    prompts,
    nodes.labels === undefined ? { on: 'judge' } : { on: 'oracle', propensities: nodes.labels.propensities },
  );
  const { alpha } = question;
  const margin = unitDifference(question.margin);
  checkMargin(question.margin, scale);
  const test = { margin, alpha, bounds };
  const { verdict, decidedAt } = nonInferiority(values, test);
  const [lower, upper] = differenceBounds(values, test);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    prompts: values.length,
    missing,
    labels,
    difference: values.length === 0 ? null : told(mean),
    lower: told(lower),
    upper: told(upper),
    verdict: verdict === 'continue' ? 'undecided' : verdict,
    decidedAt,
  };
}

/** Whether so much is missing that the rest need not speak for all. */
export const lacksTooMuch = ({ prompts, missing }: Pick<GateLook, 'prompts' | 'missing'>): boolean =>
  missing > MISSING_AT_MOST * (prompts + missing);
