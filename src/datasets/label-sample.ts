/** Which responses are to be labelled. */

import type { JsonObject } from '../core/json.ts';
import { isUsable } from '../core/summary.ts';
import { drawName, type LabelRow, type ResponseRow } from './rows.ts';
import { hashedEach, hashSample, sampleSize } from './sample.ts';

export interface LabelPlan {
  /** The policy whose labels teach the calibration; undefined where all policies' do. */
  readonly logger: string | undefined;
  /** The share of the logger's responses; without a logger of each policy's. */
  readonly calibrationShare: number;
  readonly validationShare: number;
  readonly seed: number;
  readonly validationSeed: number;
  /** `share`: just that many, the lowest hashes. `each`: every response by its own hash, so that more of them drop none. */
  readonly choose?: 'share' | 'each';
}

/** What a node's parameters say of who is labelled; an oracle's and a table's words for it differ. */
export function labelPlanOf(params: JsonObject): LabelPlan {
  const number = (name: string, otherwise: number) => {
    const value = params[name];
    return typeof value === 'number' ? value : otherwise;
  };
  const share = number('share', 1);
  const seed = number('seed', 42);
  return {
    logger: typeof params.logger === 'string' ? params.logger : undefined,
    calibrationShare: number('calibration_share', share),
    validationShare: number('validation_share', share),
    seed,
    validationSeed: number('validation_seed', seed),
  };
}

export function splitOf(policy: string, { logger }: Pick<LabelPlan, 'logger'>): LabelRow['split'] {
  return logger === undefined || policy === logger ? 'calibration' : 'validation';
}

/** The chance of a response of the policy to be labelled. */
export const labelShareOf = (policy: string, plan: LabelPlan): number =>
  splitOf(policy, plan) === 'calibration' ? plan.calibrationShare : plan.validationShare;

/** How many of so many responses of a policy are labelled. */
export const labelledOf = (policy: string, size: number, plan: LabelPlan): number =>
  sampleSize(size, labelShareOf(policy, plan));

/**
 * The names, by prompt and draw, of the responses that are labelled: by the hash of their ids, so that policies which
 * answer the same prompts are labelled on the same ones.
 */
export function labelledNames(policy: string, rows: Iterable<ResponseRow>, plan: LabelPlan): ReadonlySet<string> {
  const calibrates = splitOf(policy, plan) === 'calibration';
  const names: string[] = [];
  for (const row of rows) if (isUsable(row.status)) names.push(drawName(row.prompt_id, row.draw_index));
  const choose = plan.choose === 'each' ? hashedEach : hashSample;
  return choose(names, labelShareOf(policy, plan), calibrates ? plan.seed : plan.validationSeed);
}
