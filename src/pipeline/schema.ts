/** The written form of pipeline.yaml, before anything is interpolated. */

import { z } from 'zod';
import { laneName } from './batch-settings.ts';
import { oddSegment } from './glob.ts';
import { NAME } from './interpolate.ts';

const identifier = z
  .string()
  .regex(NAME, 'is no name for a variable: letters, digits and _ only, beginning with a letter');

const stageName = z.string().superRefine((name, context) => {
  for (const segment of name.split('/')) {
    const odd = oddSegment(segment);
    if (odd === undefined) continue;
    const where = segment === name ? '' : ` has a part that`;
    context.addIssue({ code: 'custom', message: `cannot name a stage: it${where} ${odd}` });
    return;
  }
});

/** A text may hold `${name}`, and be anything once that is filled in. */
const interpolated = z.string();
const variables = z.record(identifier, z.json());

export const stageFile = z.strictObject({
  /** The pure function that the stage runs. */
  kind: z.string(),
  /** One node for each combination: variable → list of values, or `${name}` of a list. */
  matrix: z.record(identifier, z.union([z.array(z.json()), interpolated])).optional(),
  /** The kind's name of an input → a node, or a glob over nodes, or several. */
  inputs: z.record(z.string(), z.union([interpolated, z.array(interpolated)])).optional(),
  params: z.record(z.string(), z.json()).nullable().optional(),
  /** The share of items that may be missing, 0 to 1. */
  tolerate: z.union([z.number(), interpolated]).optional(),
  /** How its calls are bought: `batch` costs half of it and comes later; the model's lane, or the profile's, unless told. */
  lane: laneName.optional(),
});

export const pipelineFile = z.strictObject({
  name: z.string().min(1),
  /** What `cje build` builds when no target is named. */
  default: z.union([interpolated, z.array(interpolated)]).optional(),
  /** The profile in use when none is named; the first one unless told. */
  default_profile: z.string().optional(),
  vars: variables.nullable().optional(),
  profiles: z
    .record(
      z.string(),
      z.strictObject({
        providers: z.string().optional(),
        vars: variables.nullable().optional(),
        /** How calls are bought, unless a stage or a model says it. */
        lane: laneName.optional(),
        /** Figures that `cje plan` shows beside its own, such as those of the experiment that this one repeats. */
        reference: z
          .strictObject({ name: z.string(), calls: z.number(), dollars: z.number(), time: z.string() })
          .optional(),
      }),
    )
    .optional(),
  budget: z
    .strictObject({
      confirm_above: z.union([z.number(), interpolated]).optional(),
      max_cost: z.union([z.number(), interpolated, z.null()]).optional(),
      max_calls: z.union([z.number(), interpolated, z.null()]).optional(),
    })
    .optional(),
  stages: z.record(stageName, stageFile),
});

/** Budgets once they are interpolated; null stands for no limit. */
export const budgetFile = z.strictObject({
  confirm_above: z.number().min(0).default(1),
  max_cost: z.number().min(0).nullable().optional(),
  max_calls: z.int().min(0).nullable().optional(),
});

export const tolerateFile = z.number().min(0).max(1);
