/** Before real money is spent: keys are there, prices are known, and somebody said yes. */

import { createInterface } from 'node:readline/promises';
import type { Lane } from '../core/batch.ts';
import type { Graph } from '../core/graph.ts';
import { EXIT, type Problem, ProblemError } from '../core/problem.ts';
import type { ProbeCost } from '../doctor/probe-cost.ts';
import type { Again } from '../engine/again.ts';
import { approvalOf, type PlannedSpending, plannedSpending } from '../engine/plan/approval.ts';
import type { Plan } from '../engine/plan/planned.ts';
import { missingKeys, type Secrets } from '../providers/secrets.ts';
import { dollars } from '../text/money.ts';
import { counted } from '../text/plural.ts';
import type { Session } from './compose.ts';
import type { CliContext } from './context.ts';

interface Consent {
  readonly yes: boolean;
  readonly maxCost: number | undefined;
  /** Whether there is somebody to ask. */
  readonly interactive: boolean;
  readonly context: Pick<CliContext, 'stdin' | 'stdout'>;
}

interface ApprovalOptions extends Again, Consent {
  /** Make at most this many of the planned calls. */
  readonly calls?: number;
  /** How calls are bought, as far as they can; online unless told. */
  readonly lane?: Lane | undefined;
  readonly secrets: Secrets;
  /** Told what was planned, where anything was. */
  readonly onPlan?: (plan: Plan) => void;
}

/**
 * True when the build may spend what its plan says; false when nothing above the pipeline's `confirm_above` is planned,
 * so that nothing above it may be spent either.
 *
 * @throws ProblemError where a key or a price is missing (exit 2), or an approval is not given (exit 3).
 */
export async function approve(
  { graph, ports }: Pick<Session, 'graph' | 'ports'>,
  targets: readonly string[],
  options: ApprovalOptions,
): Promise<boolean> {
  const spending = await plannedSpending(graph, targets, options, ports, options.calls, options.lane);
  if (spending === undefined) return true;
  options.onPlan?.(spending.plan);
  const problems = lacking(graph, spending, options.secrets);
  if (problems.length > 0) throw new ProblemError(problems, EXIT.badInput);

  const { plan, expected } = spending;
  return approved(expected, graph, options, question(plan), {
    id: 'CJE-NOT-APPROVED',
    headline: `this build is expected to cost ${dollars(expected)}, and nobody has approved it`,
    facts: [
      ['calls', plan.calls.toLocaleString('en-US')],
      ['dollars', plan.dollars === null ? 'unknown' : `${dollars(plan.dollars.low)} to ${dollars(plan.dollars.high)}`],
    ],
    hint: 'see `cje plan`; approve with --yes, or cap it with --max-cost',
  });
}

/** The same for probes, by what they can come to at most. @throws ProblemError where an approval is not given (exit 3) */
export async function approveProbes(
  graph: Pick<Graph, 'budget'>,
  { calls, dollars: most }: ProbeCost,
  consent: Consent,
): Promise<boolean> {
  const cost = most === null ? 'an unknown amount' : `at most ${dollars(most)}`;
  return approved(most, graph, consent, `At most ${counted(calls, 'call')} for ${cost}.`, {
    id: 'CJE-NOT-APPROVED',
    headline: `these probes may cost ${cost}, and nobody has approved it`,
    facts: [['calls', String(calls)]],
    hint: 'approve with --yes, or cap it with --max-cost',
  });
}

/** The rule of the house: real money above the pipeline's `confirm_above` is asked for. */
async function approved(
  cost: number | null,
  { budget }: Pick<Graph, 'budget'>,
  consent: Consent,
  asked: string,
  refusal: Problem,
): Promise<boolean> {
  const approval = approvalOf(cost, budget.confirmAbove, consent);
  if (approval !== 'needed') return approval === 'approved';
  if (consent.interactive && (await confirmed(asked, consent.context))) return true;
  throw new ProblemError(refusal, EXIT.stopped);
}

/** Keys and prices without which nothing can be bought. */
function lacking({ providers, profiles }: Graph, { plan, calls }: PlannedSpending, secrets: Secrets): Problem[] {
  const simulated = profiles?.includes('sim') ? ', or try the experiment without any key: --profile sim' : '';
  const asked = providers.filter(({ type, identity }) => type !== 'simulator' && calls.has(identity));
  const problems: Problem[] = missingKeys(asked, secrets).map(({ provider, variable }) => ({
    id: 'CJE-NO-KEY' as const,
    headline: `provider "${provider.name}" needs a key, and the environment variable ${variable} is not set`,
    facts: [['calls planned', String(calls.get(provider.identity))]],
    place: provider.place,
    hint: `export ${variable}=…${simulated}`,
  }));
  for (const model of plan.unpriced) {
    problems.push({
      id: 'CJE-NO-PRICE',
      headline: `no price is known for the model ${model}, so nothing is bought from it`,
      hint: 'add it to the price table that the provider file names (0 for a server of your own)',
    });
  }
  return problems;
}

function question({ calls, dollars: planned }: Plan): string {
  const cost =
    planned === null
      ? 'an unknown amount'
      : `about ${dollars(planned.expected)} (at most ${dollars(planned.atMost ?? planned.high)})`;
  return `${calls.toLocaleString('en-US')} calls for ${cost}.`;
}

/** Whether somebody at the terminal says yes to what would be spent. */
async function confirmed(what: string, context: Consent['context']): Promise<boolean> {
  const lines = createInterface({ input: context.stdin, output: context.stdout });
  const answer = await lines.question(`${what} Go on? [y/N] `);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}
