/** `cje build --canary N`: what some bought items say of the edit, and what the rest would cost. */

import { findingsOf, restOf } from '../compare/trial-findings.ts';
import { EXIT, type ExitCode } from '../core/problem.ts';
import { lockedError } from '../engine/build/lock.ts';
import { canary, type TrialOptions, type TrialOutcome } from '../engine/trial/trial.ts';
import { canaryText } from '../terminal/canary-text.ts';
import type { Session } from './compose.ts';

/** Buys the canary and prints what it found. @throws ProblemError where another build holds the lock (exit 4). */
export async function runCanary(
  session: Pick<Session, 'graph' | 'ports'>,
  targets: readonly string[],
  options: TrialOptions,
  print: { readonly text: (text: string) => void; readonly json: ((value: unknown) => void) | undefined },
): Promise<{ readonly exit: ExitCode; readonly outcome: TrialOutcome | undefined }> {
  const outcome = await canary(session.graph, targets, options, session.ports);
  if ('type' in outcome) {
    if (outcome.type === 'held') throw lockedError(outcome.holder);
    return { exit: EXIT.interrupted, outcome: undefined };
  }
  const findings = outcome.nodes.map((node) => findingsOf(node, session.ports.kinds));
  const rest = restOf(outcome);
  const { cost, unknown, calls, stopped = null } = outcome;
  if (print.json !== undefined) {
    print.json({
      type: 'canary',
      version: 1,
      targets,
      nodes: findings,
      bought: calls.bought,
      cost,
      unknown,
      rest,
      stopped,
    });
  } else {
    print.text(canaryText(targets, findings, rest, outcome));
  }
  return { exit: stopped === null ? EXIT.built : EXIT.stopped, outcome };
}
