/** `cje build --plan`: nothing is built but what was planned. */

import { EXIT, ProblemError } from '../core/problem.ts';
import { makePlan } from '../engine/plan/plan.ts';
import { planMoves } from '../engine/plan/plan-check.ts';
import type { PlanOptions } from '../engine/plan/planned.ts';
import { readPlan } from '../engine/plan/saved-plan.ts';
import { moveText } from '../terminal/plan-move-text.ts';
import type { Session } from './compose.ts';

/** Facts of a refusal that are printed; the rest is counted. */
const MOVES_SHOWN = 12;

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
