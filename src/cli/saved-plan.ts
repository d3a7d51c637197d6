/** Plans in files: written by `cje plan --out`, held to by `cje build --plan`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { isJsonObject } from '../core/json.ts';
import { EXIT, ProblemError } from '../core/problem.ts';
import { causeText, reasonText } from '../engine/cause.ts';
import { makePlan } from '../engine/plan/plan.ts';
import { type PlanMove, planMoves, type SavedPlan } from '../engine/plan/plan-check.ts';
import type { Plan, PlanOptions } from '../engine/plan/planned.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import type { Session } from './compose.ts';

const PLAN_VERSION = 1;

/** Facts of a refusal that are printed; the rest is counted. */
const MOVES_SHOWN = 12;

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
  const plan = isJsonObject(value) ? value : {};
  const whole = Array.isArray(plan.nodes) && Array.isArray(plan.models) && Array.isArray(plan.targets);
  if (plan.type !== 'plan' || plan.version !== PLAN_VERSION || !whole) {
    throw new ProblemError({
      id: 'CJE-NOT-A-PLAN',
      headline: `${path} is not a plan of this version of cje`,
      hint: 'make one with `cje plan --out plan.json`',
    });
  }
  return plan as unknown as SavedPlan;
}

/** What changed since the plan was saved, and how. */
export function moveText(move: PlanMove): readonly [name: string, value: string] {
  switch (move.type) {
    case 'other':
      return [move.what, `${move.before} in the plan, ${move.after} now`];
    case 'node-gone':
      return [move.node, 'is gone'];
    case 'node-new':
      return [move.node, 'is new'];
    case 'node-changed':
      return [move.node, `${move.parts.join(', ')} changed`];
    case 'price':
      return [
        move.model,
        move.after === null
          ? 'has no price any more'
          : `its price grew: ${dollars(move.before)} to ${dollars(move.after)}`,
      ];
    case 'calls':
      return ['calls', `${count(move.before)} in the plan, ${count(move.after)} now`];
    case 'dollars':
      return ['dollars', `${dollars(move.before)} expected in the plan, ${dollars(move.after)} now`];
  }
}

/** @throws ProblemError (exit 3) where what would be built is not what was planned, or is dearer. */
export async function holdToPlan(
  session: Session,
  path: string,
  targets: readonly string[],
  options: PlanOptions,
): Promise<void> {
  const saved = readPlan(path);
  const fresh = await makePlan(session.graph, targets, options, session.ports);
  const moves = planMoves(saved, fresh, session.ports.prices);
  if (moves.length === 0) return;
  const facts = moves.slice(0, MOVES_SHOWN).map(moveText);
  const rest = moves.length - facts.length;
  throw new ProblemError(
    {
      id: 'CJE-PLAN-CHANGED',
      headline: `the plan in ${path} does not hold any more, so nothing was built`,
      facts: rest === 0 ? facts : [...facts, ['and', `${rest} more`]],
      hint: 'look at the new plan (`cje plan`), save it again, and build that',
    },
    EXIT.stopped,
  );
}
