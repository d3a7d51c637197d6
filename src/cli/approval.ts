/** Before real money is spent: keys are there, prices are known, and somebody said yes. */

import { createInterface } from 'node:readline/promises';
import { EXIT, type Problem, ProblemError } from '../core/problem.ts';
import { makePlan } from '../engine/plan/plan.ts';
import type { Plan } from '../engine/plan/planned.ts';
import { reach } from '../engine/select.ts';
import { survey } from '../engine/survey.ts';
import { missingKeys, type Secrets } from '../providers/secrets.ts';
import { dollars } from '../text/money.ts';
import type { Session } from './compose.ts';
import type { CliContext } from './context.ts';

export interface ApprovalOptions {
  readonly force: ReadonlySet<string>;
  readonly retryFailed: boolean;
  readonly yes: boolean;
  readonly maxCost: number | undefined;
  /** Make at most this many of the planned calls. */
  readonly calls?: number;
  /** Whether there is somebody to ask. */
  readonly interactive: boolean;
  readonly context: CliContext;
  readonly secrets: Secrets;
}

/**
 * True when the build may spend what its plan says; false when nothing above the pipeline's `confirm_above` is planned,
 * so that nothing above it may be spent either.
 *
 * @throws ProblemError where a key or a price is missing (exit 2), or an approval is not given (exit 3).
 */
export async function approve(
  session: Pick<Session, 'graph' | 'ports'>,
  targets: readonly string[],
  options: ApprovalOptions,
): Promise<boolean> {
  const { graph, ports } = session;
  const hosted = graph.providers.filter((provider) => provider.type !== 'simulator');
  if (hosted.length === 0) return true;
  const nodes = reach(graph, targets);
  const found = await survey(nodes, ports);
  if (nodes.every((node) => found.has(node.name)) && options.force.size === 0 && !options.retryFailed) return true;

  const plan = await makePlan(graph, targets, options, ports);
  const asked = new Set(
    plan.nodes.flatMap((node) => node.models.filter(({ calls }) => calls > 0).map(({ identity }) => identity)),
  );
  const problems: Problem[] = missingKeys(
    hosted.filter((provider) => asked.has(provider.identity)),
    options.secrets,
  ).map(({ provider, variable }) => ({
    id: 'CJE-NO-KEY',
    headline: `provider "${provider.name}" needs a key, and the environment variable ${variable} is not set`,
    facts: [['calls planned', String(callsOf(plan, provider.identity))]],
    place: provider.place,
    hint: `export ${variable}=…, or try the experiment without any key: --profile sim`,
  }));
  for (const model of plan.unpriced) {
    problems.push({
      id: 'CJE-NO-PRICE',
      headline: `no price is known for the model ${model}, so nothing is bought from it`,
      hint: 'add it to the price table that the provider file names (0 for a server of your own)',
    });
  }
  if (problems.length > 0) throw new ProblemError(problems, EXIT.badInput);

  const share = options.calls === undefined || plan.calls === 0 ? 1 : Math.min(1, options.calls / plan.calls);
  const expected = (plan.realDollars ?? 0) * share;
  const { confirmAbove } = graph.budget;
  if (options.yes || options.maxCost !== undefined) return true;
  if (expected <= confirmAbove) return false;
  if (options.interactive && (await ask(plan, options.context))) return true;
  throw new ProblemError(
    {
      id: 'CJE-NOT-APPROVED',
      headline: `this build is expected to cost ${dollars(expected)}, and nobody has approved it`,
      facts: [
        ['calls', plan.calls.toLocaleString('en-US')],
        [
          'dollars',
          plan.dollars === null ? 'unknown' : `${dollars(plan.dollars.low)} to ${dollars(plan.dollars.high)}`,
        ],
      ],
      hint: 'see `cje plan`; approve with --yes, or cap it with --max-cost',
    },
    EXIT.stopped,
  );
}

function callsOf(plan: Plan, identity: string): number {
  let calls = 0;
  for (const node of plan.nodes) {
    for (const model of node.models) if (model.identity === identity) calls += model.calls;
  }
  return calls;
}

async function ask(plan: Plan, context: CliContext): Promise<boolean> {
  const lines = createInterface({ input: context.stdin, output: context.stdout });
  const cost =
    plan.dollars === null
      ? 'an unknown amount'
      : `about ${dollars(plan.dollars.expected)} (at most ${dollars(plan.dollars.atMost ?? plan.dollars.high)})`;
  const answer = await lines.question(`${plan.calls.toLocaleString('en-US')} calls for ${cost}. Go on? [y/N] `);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}
