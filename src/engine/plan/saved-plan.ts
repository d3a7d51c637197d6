/** Plans in files: written by `cje plan --out`, held to by `cje build --plan`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { ProblemError } from '../../core/problem.ts';
import { causeText, reasonText } from '../cause.ts';
import type { SavedPlan } from './plan-check.ts';
import type { Plan } from './planned.ts';

const PLAN_VERSION = 1;

/** The plan as it is printed and saved: causes typed (`why`), and beside them in words. */
export function planEvent(plan: Plan) {
  const nodes = plan.nodes.map((node) => ({
    ...node,
    reason: reasonText(node.why, node.requests, node.kind),
    cause: causeText(node.why, node.kind),
  }));
  return { type: 'plan', version: PLAN_VERSION, ...plan, nodes };
}

export function savePlan(path: string, plan: Plan): void {
  try {
    writeFileSync(path, `${JSON.stringify(planEvent(plan), null, 2)}\n`);
  } catch (error) {
    throw new ProblemError({
      id: 'CJE-CANNOT-WRITE',
      headline: `cannot write the plan to ${path}`,
      facts: [['reason', error instanceof Error ? error.message : String(error)]],
    });
  }
}

/** @throws ProblemError where the file is not a plan of this version. */
export function readPlan(path: string): SavedPlan {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ProblemError({
      id: 'CJE-FILE-UNREADABLE',
      headline: `cannot read the plan ${path}`,
      facts: [['reason', error instanceof Error ? error.message : String(error)]],
      hint: 'make one with `cje plan --out plan.json`',
    });
  }
  const plan = savedPlan().safeParse(value);
  if (!plan.success) {
    throw new ProblemError({
      id: 'CJE-NOT-A-PLAN',
      headline: `${path} is not a plan of this version of cje`,
      hint: 'make one with `cje plan --out plan.json`',
    });
  }
  return plan.data;
}

const savedPlan = (): z.ZodType<SavedPlan> =>
  z.object({
    type: z.literal('plan'),
    version: z.literal(PLAN_VERSION),
    experiment: z.string(),
    profile: z.string(),
    targets: z.array(z.string()),
    nodes: z.array(z.object({ node: z.string(), kind: z.string(), parts: z.record(z.string(), z.string()) })),
    calls: z.number(),
    models: z.array(
      z.object({
        identity: z.string(),
        model: z.string(),
        inputTokens: z.number(),
        outputTokens: z.number(),
        expected: z.number().nullable(),
      }),
    ),
    dollars: z.object({ expected: z.number(), high: z.number() }).nullable(),
  });
