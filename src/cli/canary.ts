/** `cje build --canary N`: what some bought items say of the edit, and what the rest would cost. */

import { type Agreement, agreementOf } from '../compare/agreement.ts';
import { mainMeasure, measured } from '../compare/measured.ts';
import type { Kinds } from '../core/kind.ts';
import { EXIT, type ExitCode, ProblemError } from '../core/problem.ts';
import { lockedProblem } from '../engine/build/lock.ts';
import { canary, type TrialNode, type TrialOptions, type TrialOutcome } from '../engine/trial/trial.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count, signed } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { table } from '../text/table.ts';
import type { Session } from './compose.ts';
import { sharedFolder } from './node-names.ts';

export interface CanaryFindings {
  readonly node: string;
  readonly invalidated: number;
  readonly items: number;
  /** Items that have a row with the status `ok` now. */
  readonly complete: number;
  /** False where the last build's rows are of other inputs, so that before and after are of different things. */
  readonly sameInputs: boolean;
  /** Null where the kind measures no number, or nothing was there before. */
  readonly agreement: Agreement | null;
  readonly bought: number;
  readonly cost: number;
}

/** What is left to buy after a canary. */
export interface CanaryRest {
  readonly calls: number;
  /** Dollars at what the canary's own calls cost; null where a price is unknown. */
  readonly dollars: number | null;
  readonly minutes: number;
  /** False where the plan's number of calls is a bound. */
  readonly exact: boolean;
}

/** Buys the canary and prints what it found. @throws ProblemError where another build holds the lock (exit 4). */
export async function runCanary(
  session: Pick<Session, 'graph' | 'ports'>,
  targets: readonly string[],
  options: TrialOptions,
  print: { readonly text: (text: string) => void; readonly json: ((value: unknown) => void) | undefined },
): Promise<{ readonly exit: ExitCode; readonly outcome: TrialOutcome | undefined }> {
  const outcome = await canary(session.graph, targets, options, session.ports);
  if ('type' in outcome) {
    if (outcome.type === 'held') throw new ProblemError(lockedProblem(outcome.holder), EXIT.locked);
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

/** Of a kind that measures a number, how it moved. */
export function findingsOf(node: TrialNode, kinds: Kinds): CanaryFindings {
  const { node: name, kind, invalidated, sameInputs, items, bought, cost } = node;
  const measure = mainMeasure(kinds.get(kind)?.kind);
  const pairs: [number, number][] = [];
  for (const { before, after } of items) {
    if (measure === undefined) break;
    const [old, now] = [measured(measure, before), measured(measure, after)];
    if (old !== undefined && now !== undefined) pairs.push([old, now]);
  }
  return {
    node: name,
    invalidated,
    items: items.length,
    complete: items.filter(({ after }) => after?.status === 'ok').length,
    sameInputs,
    agreement: pairs.length > 0 ? agreementOf(pairs) : null,
    bought,
    cost,
  };
}

function restOf({ plan, nodes, calls }: TrialOutcome): CanaryRest {
  const bought = new Map(nodes.map((node) => [node.node, node]));
  let cost: number | null = 0;
  for (const { node, calls: planned, models } of plan.nodes) {
    const canaried = bought.get(node);
    const expected = models.reduce<number | null>(
      (sum, { expected: one }) => (sum === null || one === null ? null : sum + one),
      0,
    );
    const part: number | null =
      canaried === undefined || canaried.bought === 0
        ? expected
        : (canaried.cost / canaried.bought) * Math.max(0, planned - canaried.bought);
    cost = cost === null || part === null ? null : cost + part;
  }
  const left = Math.max(0, plan.calls - calls.bought);
  const minutes = plan.calls === 0 ? 0 : (plan.minutes * left) / plan.calls;
  return { calls: left, dollars: cost, minutes, exact: plan.exact };
}

const UNITS = 3;

function canaryText(
  targets: readonly string[],
  findings: readonly CanaryFindings[],
  rest: CanaryRest,
  outcome: TrialOutcome,
): string {
  const { calls, cost, unknown, stopped } = outcome;
  const reserved = unknown === 0 ? '' : `, and ${dollars(unknown)} reserved for unknown outcomes`;
  if (findings.length === 0) return 'Nothing would be bought, so there is nothing to try.\n';
  const items = findings.reduce((sum, finding) => sum + finding.items, 0);
  const invalidated = findings.reduce((sum, finding) => sum + finding.invalidated, 0);
  const lines = [
    `Canary: ${counted(items, 'item')} of ${count(invalidated)}; ${counted(calls.bought, 'call')} bought for ${dollars(cost)}${reserved}`,
    '',
  ];
  // Most canaries try one stage: its name is said once.
  const { head, short } = sharedFolder(findings.map(({ node }) => node));
  const header = [head, 'items', 'before', 'after', 'shift', 'corr.', 'same'];
  const rows = findings.map(({ node, items: own, agreement }) =>
    agreement === null
      ? [short(node), count(own), '', '', '', '', '']
      : [
          short(node),
          count(agreement.n),
          agreement.meanBefore.toFixed(UNITS),
          agreement.meanAfter.toFixed(UNITS),
          shiftText(agreement),
          agreement.correlation?.toFixed(UNITS) ?? '',
          `${Math.round(agreement.unchanged * 100)} %`,
        ],
  );
  lines.push(table([header, ...rows], { align: ['left', 'right', 'right', 'right', 'right', 'right', 'right'] }));
  const incomplete = findings.filter(({ items: own, complete }) => complete < own);
  if (incomplete.length > 0) {
    const missing = incomplete.map(({ node, items: own, complete }) => `${node} ${count(own - complete)}`).join(', ');
    lines.push('', `Without a usable reply: ${missing}`);
  }
  if (findings.some(({ agreement, sameInputs }) => agreement !== null && !sameInputs)) {
    lines.push('', 'The inputs changed too: before and after are not of the same texts.');
  }
  const money = rest.dollars === null ? 'an unknown sum' : `about ${dollars(rest.dollars)}`;
  const time = rest.minutes === 0 ? '' : `, ${duration(rest.minutes * 60_000)} at the configured limits`;
  lines.push('', `The rest: ${rest.exact ? '' : 'at most '}${counted(rest.calls, 'call')} for ${money}${time}.`);
  if (stopped !== undefined) lines.push(`Stopped early: ${printable(stopped)}`);
  lines.push(`No node was finished; the replies are kept. To buy the rest: cje build ${targets.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

/** The shift with half of its 95 % interval. */
export function shiftText({ shift, upper }: Agreement): string {
  return upper === null ? signed(shift, UNITS) : `${signed(shift, UNITS)} ± ${(upper - shift).toFixed(UNITS)}`;
}
