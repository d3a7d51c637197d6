/** Before probes are sent: whom they ask, what they can come to at most, and that somebody approved it. */

import type { Graph, Provider } from '../../core/graph.ts';
import { EXIT, nearest, ProblemError } from '../../core/problem.ts';
import type { ProbeCost } from '../../doctor/probe-cost.ts';
import type { ProbeTarget } from '../../doctor/probe-targets.ts';
import { approvalOf } from '../../engine/plan/approval.ts';
import { printable } from '../../text/escape.ts';
import { dollars } from '../../text/money.ts';
import { counted } from '../../text/plural.ts';
import { confirmed } from '../approval.ts';
import type { CliContext } from '../context.ts';

/** The providers that are named; without names, those whose models the pipeline calls. */
export function chosenProviders(
  names: readonly string[],
  graph: Graph,
  probeTargets: readonly ProbeTarget[],
): readonly Provider[] {
  const known = graph.providers.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new ProblemError({
      id: 'CJE-UNKNOWN-PROVIDER',
      headline: `there is no provider ${JSON.stringify(name)}`,
      facts: [
        ['profile', graph.profile],
        ['known', known.length === 0 ? 'none' : known.join(', ')],
      ],
      ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
    });
  }
  if (names.length > 0) return graph.providers.filter(({ name }) => names.includes(name));
  return graph.providers.filter((provider) => probeTargets.some((probeTarget) => probeTarget.provider === provider));
}

interface Probing {
  readonly graph: Graph;
  readonly cost: ProbeCost;
  /** True where all of the money is simulated. */
  readonly simulated: boolean;
}

/** What the probes may come to. */
export function announcement({ graph: { name, profile }, cost: { calls, dollars: most }, simulated }: Probing): string {
  const title = printable(`${name}, profile ${profile}`);
  if (calls === 0) return `${title}: no model is called\n`;
  const cost = most === null ? 'at an unknown price' : `never above ${dollars(most)}`;
  const money = simulated ? '; simulated: nothing is charged' : '';
  return `${title}: at most ${counted(calls, 'call')}, ${cost}${money}\n`;
}

interface ConsentOptions {
  readonly yes: boolean;
  readonly maxCost: number | undefined;
  /** Whether there is somebody to ask. */
  readonly interactive: boolean;
  readonly context: CliContext;
}

/**
 * The rule of builds: real money above the pipeline's `confirm_above` is asked for.
 *
 * @returns false where nothing above it may be spent. @throws ProblemError where an approval is not given (exit 3)
 */
export async function approveProbes(
  { graph, cost: { calls, dollars: most }, simulated }: Probing,
  { yes, maxCost, interactive, context }: ConsentOptions,
): Promise<boolean> {
  if (simulated) return true;
  const approval = approvalOf(most, graph.budget.confirmAbove, { yes, maxCost });
  if (approval !== 'needed') return approval === 'approved';
  const cost = most === null ? 'an unknown amount' : `at most ${dollars(most)}`;
  if (interactive && (await confirmed(`At most ${counted(calls, 'call')} for ${cost}.`, context))) return true;
  throw new ProblemError(
    {
      id: 'CJE-NOT-APPROVED',
      headline: `these probes may cost ${cost}, and nobody has approved it`,
      facts: [['calls', String(calls)]],
      hint: 'approve with --yes, or cap it with --max-cost',
    },
    EXIT.stopped,
  );
}
